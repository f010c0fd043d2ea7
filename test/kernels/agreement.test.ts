import fc from 'fast-check';
import { describe, test } from 'vitest';
import { channels, columns, segments, tensors, workOf } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { perform } from './work.js';

const sandbox = new Sandbox();

describe('SIMD and scalar give the same bytes for any scheme, source and mode', () => {
  test.each([
    ['tensors', tensors],
    ['segments', segments],
    ['channels', channels],
    ['columns', columns],
  ])('%s', (_name, shapes) => {
    fc.assert(
      fc.property(workOf(shapes), (work) => {
        perform(sandbox, work);
      }),
      { numRuns: 2000 },
    );
  });
});
