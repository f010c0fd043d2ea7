/**
 * Blocks of foreign formats, scalar.
 * @module
 */
export { blockRows } from './rows.js';
