export { bindKernels, compileKernels, compileUnshared } from './bind.js';
export type { Kernel } from './kernel.js';
export { createReference } from './reference.js';
export { compileRelaxed, type Relaxed } from './relaxed.js';
export { type SelfTestReport, selfTest } from './self-test.js';
