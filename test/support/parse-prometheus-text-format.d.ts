declare module 'parse-prometheus-text-format' {
  /** Families of a text of Prometheus. */
  export default function parse(text: string): import('./exposition.js').Family[];
}
