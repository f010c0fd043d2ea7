/**
 * Numbers as people read them.
 * @module
 */

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

/** A space at which no line ends: a unit stays with its number. */
const SPACE = '\u00a0';

/** A number with four digits that count. */
export function valueText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : 'NaN';
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(4));
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    const [digits, exponent] = rounded.toExponential().split('e');
    return `${digits}e${exponent!.replace('+', '')}`.replaceAll('-', '−');
  }
  return String(rounded).replace('-', '−');
}

/** Two numbers as a range; one where they are the same. */
export function rangeText({ low, high }: { readonly low: number; readonly high: number }): string {
  return low === high ? valueText(low) : `${valueText(low)} … ${valueText(high)}`;
}

/** A count: in full up to 99,999, with three digits and a prefix beyond. */
export function countText(count: number): string {
  if (count < 100_000) return Math.round(count).toLocaleString('en-US');
  return prefixed(count);
}

/** So many a second. */
export function rateText(rate: number): string {
  if (rate === 0) return '0';
  return rate < 1000 ? String(Number(rate.toPrecision(3))) : prefixed(rate);
}

/** Bytes in powers of 1,024. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < 4; unit++) value /= 1024;
  return `${Number(value.toPrecision(3))}${SPACE}${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

/** A share in percent. */
export function shareText(share: number): string {
  if (share === 0) return `0${SPACE}%`;
  const percent = share * 100;
  return percent < 0.001 ? `<${SPACE}0.001${SPACE}%` : `${Number(percent.toPrecision(3))}${SPACE}%`;
}

/** Milliseconds. */
export function timeText(milliseconds: number): string {
  if (milliseconds < 1) return `${Math.round(milliseconds * 1000)}${SPACE}µs`;
  if (milliseconds < 1000) return `${Number(milliseconds.toPrecision(3))}${SPACE}ms`;
  return `${Number((milliseconds / 1000).toPrecision(3))}${SPACE}s`;
}

/** Decibels. */
export function decibelText(decibels: number): string {
  return `${decibels.toFixed(1).replace('-', '−')}${SPACE}dB`;
}

/** Seconds as days, hours, minutes. */
export function uptimeText(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
  if (days! > 0) return `${days}${SPACE}d ${hours}${SPACE}h`;
  if (hours! > 0) return `${hours} h ${minutes}${SPACE}min`;
  return minutes! > 0 ? `${minutes}${SPACE}min` : `${Math.floor(seconds)}${SPACE}s`;
}

/** How long ago, by whole seconds. */
export function agoText(seconds: number): string {
  return seconds === 0 ? 'now' : `${seconds} s ago`;
}

function prefixed(value: number): string {
  let [left, prefix] = [value, 0];
  for (; left >= 999.5 && prefix < PREFIXES.length - 1; prefix++) left /= 1000;
  const text = String(Number(left.toPrecision(3)));
  return prefix === 0 ? text : `${text}${SPACE}${PREFIXES[prefix]}`;
}
