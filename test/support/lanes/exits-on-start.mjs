/** A lane whose thread ends when it is handed its session. */
export default function start() {
  process.exit(3);
}
