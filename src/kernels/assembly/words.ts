/**
 * Access to the words of a descriptor (see `scheme/codes`). All offsets are compile-time constants.
 */
import { Word } from '../../scheme/descriptor';

/** The signed word `w` of the descriptor at `d`. */
// @ts-ignore: decorator
@inline
export function word(d: usize, w: Word): i32 {
  return load<i32>(d + ((<usize>w) << 2));
}

/** The address in word `w`. */
// @ts-ignore: decorator
@inline
export function address(d: usize, w: Word): usize {
  return <usize>load<u32>(d + ((<usize>w) << 2));
}

/** The float32 in word `w`. */
// @ts-ignore: decorator
@inline
export function real(d: usize, w: Word): f32 {
  return load<f32>(d + ((<usize>w) << 2));
}

/** The float64 in the words `w` and `w` + 1. */
// @ts-ignore: decorator
@inline
export function wideReal(d: usize, w: Word): f64 {
  return load<f64>(d + ((<usize>w) << 2));
}

/** Writes the word `w`. */
// @ts-ignore: decorator
@inline
export function setWord(d: usize, w: Word, value: i32): void {
  store<i32>(d + ((<usize>w) << 2), value);
}
