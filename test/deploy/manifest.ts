/**
 * What is wrong with manifests of Kubernetes: against the schemas of Kubernetes, which know required fields, types and
 * quantities, and against the types of their fields, which an unknown field does not pass.
 */
import { fileURLToPath } from 'node:url';
import { Deployment } from 'kubernetes-models/apps/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Pod, Service } from 'kubernetes-models/v1';
import ts from 'typescript';
import { parseDocument } from 'yaml';

// biome-ignore lint/suspicious/noExplicitAny: a manifest that is not checked yet may be anything
export type Manifest = any;

interface Kind {
  readonly type: string;
  readonly validate: (value: Manifest) => void;
}

const KSERVE = "import('./kserve.js')";

/** A pod with the container of KServe, whose other fields have no schema here. */
const container = (value: Manifest): void =>
  new Pod({ metadata: { name: 'x' }, spec: { containers: [value] } }).validate();

const KINDS: Readonly<Record<string, Kind>> = {
  'apps/v1 Deployment': {
    type: "import('kubernetes-models/apps/v1').IDeployment",
    validate: (value) => new Deployment(value).validate(),
  },
  'v1 Service': { type: "import('kubernetes-models/v1').IService", validate: (value) => new Service(value).validate() },
  'policy/v1 PodDisruptionBudget': {
    type: "import('kubernetes-models/policy/v1').IPodDisruptionBudget",
    validate: (value) => new PodDisruptionBudget(value).validate(),
  },
  'serving.kserve.io/v1alpha1 ClusterServingRuntime': {
    type: `${KSERVE}.IServingRuntime`,
    validate: ({ spec }) => spec.containers.forEach(container),
  },
  'serving.kserve.io/v1beta1 InferenceService': {
    type: `${KSERVE}.IInferenceService`,
    validate: ({ spec }) => {
      const { modelFormat, runtime, protocolVersion, storageUri, ...rest } = spec.predictor.model;
      container({ name: 'kserve-container', ...rest });
    },
  },
};

/** The manifest that a text of YAML holds. */
export function parsed(text: string): Manifest {
  const document = parseDocument(text, { strict: true, uniqueKeys: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw fault;
  return document.toJS();
}

/** For each text of YAML what is wrong with it; nothing for a right one. */
export function faultsOf(texts: readonly string[]): string[][] {
  const faults: string[][] = texts.map(() => []);
  const declarations = texts.map((text, at) => {
    try {
      const value = parsed(text);
      const kind = KINDS[`${value.apiVersion} ${value.kind}`];
      if (kind === undefined) throw new Error(`Unknown kind ${value.apiVersion} ${value.kind}`);
      // Types first: a schema is not asked about fields that are not there.
      try {
        kind.validate(value);
      } catch (error) {
        faults[at]!.push((error as Error).message);
      }
      return `export const m${at}: ${kind.type} = ${JSON.stringify(value)};`;
    } catch (error) {
      faults[at]!.push((error as Error).message);
      return `export const m${at} = null;`;
    }
  });
  for (const { line, message } of diagnosticsOf(declarations)) faults[line]!.push(message);
  return faults;
}

/** What the compiler has to say of lines of TypeScript. */
function diagnosticsOf(lines: readonly string[]): { line: number; message: string }[] {
  const name = fileURLToPath(new URL('checked-manifests.ts', import.meta.url));
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, lines.join('\n'), rest[0]) : getSourceFile.call(host, file, ...rest);
  const program = ts.createProgram([name], options, host);
  const source = program.getSourceFile(name)!;
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ start, messageText }) => ({
      line: source.getLineAndCharacterOfPosition(start ?? 0).line,
      message: ts.flattenDiagnosticMessageText(messageText, '\n'),
    }),
  );
}
