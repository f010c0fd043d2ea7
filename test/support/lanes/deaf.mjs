/** A lane that takes its session and never answers on its channel. */
export default function start(session) {
  return session.lane;
}
