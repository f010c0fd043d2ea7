/**
 * Access to the words of a table of segments (see `scheme/attention`).
 */
import { SegmentWord, TableWord } from '../../../scheme/attention';

/** The word `w` of the table at `t`: a count or an address. */
// @ts-ignore: decorator
@inline
export function tableWord(t: usize, w: TableWord): usize {
  return <usize>load<u32>(t + ((<usize>w) << 2));
}

/** The word `w` of the segment at `s`: a count, a choice or an address. */
// @ts-ignore: decorator
@inline
export function segmentWord(s: usize, w: SegmentWord): usize {
  return <usize>load<u32>(s + ((<usize>w) << 2));
}

/** The first segment of the table at `t`; each is `SegmentWord.Words` words. */
// @ts-ignore: decorator
@inline
export function firstSegment(t: usize): usize {
  return t + ((<usize>TableWord.Words) << 2);
}

/** The segment after `s`. */
// @ts-ignore: decorator
@inline
export function nextSegment(s: usize): usize {
  return s + ((<usize>SegmentWord.Words) << 2);
}
