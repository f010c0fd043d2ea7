/**
 * Metrics of a runtime for a Prometheus registry.
 * @module
 */

export { processMetrics } from './process-metrics.js';
export { type MetricsOptions, metricsOf } from './runtime-metrics.js';
