/** The manifests of deploy/kubernetes: right by the schemas, and of one mind with the server and with each other. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkedArguments } from '#src/cli/arguments.js';
import { serveCommand } from '#src/cli/serve.js';
import { faultsOf, type Manifest, parsed } from './manifest.js';

const folder = new URL('../../deploy/kubernetes/', import.meta.url);
const names = readdirSync(folder, { recursive: true })
  .map((name) => String(name).replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.yaml'))
  .sort();
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const manifest = (name: string): Manifest => parsed(text(name));

/** Copies that are wrong in one place each: the file, what is replaced, by what, and what must be said of it. */
const BROKEN: readonly (readonly [string, string, string, RegExp])[] = [
  ['deployment.yaml', 'replicas: 2', 'replicas: two', /replicas/],
  ['deployment.yaml', 'readinessProbe:', 'readynessProbe:', /readynessProbe/],
  ['deployment.yaml', 'memory: 1Gi', 'memory: much', /quantity/],
  ['deployment.yaml', 'image: quantlane:0.1.0', 'images: quantlane:0.1.0', /images/],
  ['deployment.yaml', '    spec:\n      # 5 s', '    specs:\n      # 5 s', /specs/],
  ['deployment.yaml', '  replicas: 2', '  replicas: 2\n  replicas: 3', /unique/],
  ['deployment.yaml', 'apiVersion: apps/v1', 'apiVersion: apps/v9', /Unknown kind apps\/v9 Deployment/],
  ['service.yaml', 'port: 80', 'port: http', /port/],
  ['disruption-budget.yaml', 'minAvailable: 1', 'minAvailable: [1]', /minAvailable/],
  ['kserve/runtime.yaml', 'protocolVersions:\n    - v2', 'protocolVersions:\n    - v7', /v7/],
  ['kserve/runtime.yaml', 'autoSelect', 'autoselect', /autoselect/],
  ['kserve/runtime.yaml', '- name: kserve-container', '- tag: kserve-container', /tag/],
  ['kserve/presets.yaml', 'modelFormat:', 'format:', /modelFormat|format/],
  ['kserve/calibrated.yaml', 'storageUri: pvc', 'storageURI: pvc', /storageURI/],
];

describe('schemas and types', () => {
  let faults: string[][] = [];

  beforeAll(() => {
    const broken = BROKEN.map(([name, from, to]) => {
      expect(text(name)).toContain(from);
      return text(name).replace(from, to);
    });
    faults = faultsOf([...names.map(text), ...broken]);
  }, 120_000);

  it('are there for every kind', () => {
    expect(names).toHaveLength(6);
  });

  it.each(names.map((name, at) => [name, at] as const))('find nothing wrong with %s', (_, at) => {
    expect(faults[at]).toEqual([]);
  });

  it.each(BROKEN.map(([name, , to], at) => [name, to.trim(), at] as const))('refuse %s with %j', (_, __, at) => {
    expect(faults[names.length + at]!.join('\n')).toMatch(BROKEN[at]![3]);
  });
});

describe('the command line of containers', () => {
  const containers = names.flatMap((name) => {
    const { spec } = manifest(name);
    return (spec.template?.spec.containers ?? spec.containers ?? []).map((container: Manifest) => ({
      name,
      container,
    }));
  });

  it('is there twice', () => {
    expect(containers).toHaveLength(2);
  });

  it.each(containers)('is one that serve takes: $name', ({ container }) => {
    const [command, ...words] = container.args as string[];
    expect(command).toBe('serve');
    const port = Number(words.find((word) => word.startsWith('--port='))!.slice(7));
    expect(container.ports[0].containerPort).toBe(port);
    expect(checkedArguments(words, serveCommand.args as never)).toContain('--host=0.0.0.0');
    for (const probe of ['readinessProbe', 'livenessProbe'])
      expect([port, container.ports[0].name]).toContain(container[probe].httpGet.port);
    expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
  });

  it('is one that serve takes: what a service of KServe adds', () => {
    const { args } = manifest('kserve/calibrated.yaml').spec.predictor.model;
    expect(checkedArguments(args, serveCommand.args as never)).toEqual([...args, '--']);
  });
});

describe('the manifests together', () => {
  const { spec } = manifest('deployment.yaml');
  const [container] = spec.template.spec.containers;

  it('give requests in work the time that they may take', () => {
    const timeout = Number(container.args.find((word: string) => word.startsWith('--timeout='))!.slice(10)) / 1000;
    const wait =
      Number(/setTimeout\(\(\) => \{\}, (\d+)\)/.exec(container.lifecycle.preStop.exec.command[2])![1]) / 1000;
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(timeout + wait);
  });

  it('select the pods that there are', () => {
    const { labels } = spec.template.metadata;
    expect(spec.selector.matchLabels).toEqual(labels);
    expect(manifest('service.yaml').spec.selector).toEqual(labels);
    expect(manifest('disruption-budget.yaml').spec.selector.matchLabels).toEqual(labels);
    expect(spec.replicas).toBeGreaterThan(manifest('disruption-budget.yaml').spec.minAvailable);
  });

  it('ask for the runtime that there is', () => {
    const runtime = manifest('kserve/runtime.yaml');
    for (const name of ['kserve/presets.yaml', 'kserve/calibrated.yaml']) {
      const { model } = manifest(name).spec.predictor;
      expect(model.runtime).toBe(runtime.metadata.name);
      expect(runtime.spec.supportedModelFormats[0]).toMatchObject(model.modelFormat);
      expect(runtime.spec.protocolVersions).toContain(model.protocolVersion);
    }
  });

  it('run the version of this package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    for (const image of [container.image, manifest('kserve/runtime.yaml').spec.containers[0].image])
      expect(image).toBe(`quantlane:${version}`);
  });
});
