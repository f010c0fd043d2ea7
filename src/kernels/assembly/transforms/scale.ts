/**
 * SmoothQuant's migration (equations 44 and 45): each column divided by its scale, or multiplied with it.
 */
import { Word } from '../../../scheme/descriptor';
import { fourExact } from '../load';
import { address } from '../words';
import { put, putFour, single } from './values';

/** Rows `First` to `Last`, each column divided by its scale. */
export function divide<T>(d: usize): void {
  scaled<T, f64>(d);
}

/** Rows `First` to `Last`, each column multiplied with its scale. */
export function multiply<T>(d: usize): void {
  scaled<T, f32>(d);
}

/** A is `f64` to divide or `f32` to multiply. */
// @ts-ignore: decorator
@inline
function scaled<T, A>(d: usize): void {
  const length: usize = address(d, Word.Length);
  const whole = length & ~3;
  const scales = address(d, Word.Scale);
  const last: usize = address(d, Word.Last);
  for (let row: usize = address(d, Word.First); row < last; row++) {
    const p = address(d, Word.Values) + row * length * sizeof<T>();
    const q = address(d, Word.Codes) + ((row * length) << 2);
    for (let i: usize = 0; i < whole; i += 4) {
      const x = fourExact<T>(p + i * sizeof<T>());
      const s = v128.load(scales + (i << 2));
      putFour(q + (i << 2), sizeof<A>() == 8 ? f32x4.div(x, s) : f32x4.mul(x, s));
    }
    for (let i = whole; i < length; i++) {
      const x = single<T>(p + i * sizeof<T>());
      const s = load<f32>(scales + (i << 2));
      put(q + (i << 2), sizeof<A>() == 8 ? x / s : x * s);
    }
  }
}
