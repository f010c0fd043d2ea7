/** What the package promises to those who install it, read from its manifest. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

/** Every path of `exports`, with the conditions that lead to it. */
function targets(node: unknown, conditions: readonly string[] = []): { path: string; conditions: readonly string[] }[] {
  if (typeof node === 'string') return [{ path: node, conditions }];
  return Object.entries(node as object).flatMap(([key, value]) => targets(value, [...conditions, key]));
}

describe('manifest', () => {
  it('brings twelve dependencies, and works beside ONNX Runtime where it is installed', () => {
    expect(Object.keys(manifest.dependencies)).toEqual([
      '@huggingface/tokenizers',
      '@nats-io/jetstream',
      '@nats-io/transport-node',
      'citty',
      'comlink',
      'fastify',
      'onnx-proto',
      'piscina',
      'prom-client',
      'rxjs',
      'uplot',
      'ws',
    ]);
    expect(Object.keys(manifest.peerDependencies)).toEqual(['onnxruntime-node']);
    expect(manifest.peerDependenciesMeta).toEqual({ 'onnxruntime-node': { optional: true } });
    expect(manifest.optionalDependencies).toBeUndefined();
  });

  it('pins every version exactly', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
  });

  it('needs no script when it is installed', () => {
    const scripts = Object.keys(manifest.scripts);
    expect(scripts.filter((name) => /^(?:pre|post)?install$|^(?:pre|post)?prepare$/.test(name))).toEqual([]);
  });

  it('is a module without side effects for Node 20.19 and later', () => {
    expect(manifest).toMatchObject({ type: 'module', sideEffects: false, engines: { node: '>=20.19' } });
  });

  it('gives types before code', () => {
    for (const [subpath, node] of Object.entries(manifest.exports)) {
      if (typeof node === 'object') expect(Object.keys(node as object)[0], subpath).toBe('types');
    }
  });

  it('exports only what ships', () => {
    const folders = (manifest.files as string[]).map((file) => `./${file}`);
    const paths = [...targets(manifest.exports), ...targets(manifest.bin)].map(({ path }) => path);
    const isShipped = (path: string) => path === './package.json' || folders.some((at) => path.startsWith(`${at}/`));
    expect(paths.filter((path) => !isShipped(path))).toEqual([]);
  });
});
