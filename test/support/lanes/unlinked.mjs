/** A lane whose module asks another one for what that does not have. */
import { nowhere } from './silent.mjs';

export default nowhere;
