/**
 * Writing a quantized tensor box by box.
 * @module
 */
import type { TensorWriter } from '../formats/index.js';
import { bytesIn } from '../memory/index.js';
import { boxElements, boxParameters, codeBytes, type Grid } from './grid.js';
import type { Sink } from './tensor.js';

/** Writes codes and parameters of the tensor `name`. Boxes that share a parameter write the same one. */
export function writingTo(writer: TensorWriter, name: string, grid: Grid): Sink {
  return {
    compares: false,
    async take({ box, quantized: { data, scale, zeroPoint, outliers, outlierValues }, before }) {
      const position = codeBytes(grid, boxElements(grid, box).first);
      await writer.write(name, position, bytesIn(data).subarray(codeBytes(grid, before)));
      const { first } = boxParameters(grid, box);
      if (scale !== null) await writer.write(`${name}.scale`, first * scale.BYTES_PER_ELEMENT, bytesIn(scale));
      if (zeroPoint !== null)
        await writer.write(`${name}.zero_point`, first * zeroPoint.BYTES_PER_ELEMENT, bytesIn(zeroPoint));
      if (outliers === null || outlierValues === null) return;
      await writer.write(`${name}.outliers`, 0, bytesIn(outliers));
      await writer.write(`${name}.outlier_values`, box.at[0] * outliers.byteLength, bytesIn(outlierValues));
    },
  };
}
