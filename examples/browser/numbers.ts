/**
 * Numbers as people read them.
 * @module
 */

const WHOLE = new Intl.NumberFormat('en');

/** `1,048,576`. */
export function whole(count: number): string {
  return WHOLE.format(count);
}

/** Four digits that count, `0.01234` or `1.234e-9`. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(3);
}

/** `4.2 MB`, in powers of 1000. */
export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let unit = 0;
  let value = count;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${Number(value.toFixed(unit === 0 ? 0 : 2))} ${units[unit]}`;
}

/** `12.3 %`, and `< 0.01 %` where it is not nothing. */
export function share(part: number, all: number): string {
  if (part === 0) return '0 %';
  const percent = (100 * part) / all;
  return percent < 0.01 ? '< 0.01 %' : `${Number(percent.toPrecision(3))} %`;
}
