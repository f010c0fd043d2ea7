/**
 * The plots. A browser gets the module of the package in place of this one, see `assets.ts`.
 * @module
 */

export { default } from 'uplot';
