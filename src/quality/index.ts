/**
 * Quality: how close values are to others, how codes are used, and which channels stand out.
 * @module
 */

export {
  type ChannelLayout,
  channelLayout,
  medianOf,
  ONE_CHANNEL,
  OUTLIER_FACTOR,
  outlierChannels,
} from './channels.js';
export { CodeUsage } from './code-usage.js';
export { type Closeness, Comparison } from './comparison.js';
