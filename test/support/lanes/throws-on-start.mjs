/** A lane that refuses its session. */
export default function start() {
  throw new RangeError('not today');
}
