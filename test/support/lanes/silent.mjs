/** A lane that starts and never listens. */
export default function start() {
  return new Promise(() => {});
}
