/** Every golden row. */
import { ONE_BLOCK } from './block.js';
import { EDGES } from './edges.js';
import { FLOATS } from './floats.js';
import { ROUNDING } from './rounding.js';
import type { GoldenTable } from './row.js';
import { ZERO_POINTS } from './zero-points.js';

/** The tables, by the name of their input. */
export const GOLDEN: GoldenTable = { ...ROUNDING, ...ZERO_POINTS, ...ONE_BLOCK, ...FLOATS, ...EDGES };
