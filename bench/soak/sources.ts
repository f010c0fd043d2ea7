/**
 * Sources of a stream: those that are asked for batches, and those that push them.
 * @module
 */
import { Observable } from 'rxjs';
import { buffer, type Overflow, type StreamSource, type TensorInput, TensorLease } from '../../src/index.js';
import type { Scene } from './scene.js';
import type { Specimen } from './specimen.js';

/** Where the batches of a stream come from. */
export interface Supply {
  /** For messages. */
  readonly name: string;
  readonly isPush: boolean;
  readonly overflow: Overflow;
  /**
   * A source of the batches from `first` on; `onPush` is told the index of each that leaves the source.
   */
  source(
    batches: readonly Specimen[],
    first: number,
    onPush: (index: number, tensor: TensorInput) => void,
  ): StreamSource;
}

/** One of the kinds of sources, with one of the policies. */
export function supplyOf(scene: Scene): Supply {
  const { random } = scene;
  const pull = (name: string, source: Supply['source']): Supply => ({
    name,
    isPush: false,
    overflow: buffer(0),
    source,
  });
  const overflow = random.pick(['error', 'drop-oldest', 'drop-newest', buffer(random.between(0, 40))] as const);
  const name = typeof overflow === 'string' ? overflow : `buffer(${(overflow as { buffer: number }).buffer})`;
  return random.pick<Supply>([
    pull('async iterable', (batches, first, onPush) => generated(scene, batches, first, onPush)),
    pull('iterable', (batches, first, onPush) => listed(scene, batches, first, onPush)),
    pull('ReadableStream', (batches, first, onPush) => readable(generated(scene, batches, first, onPush))),
    ...Array.from({ length: 3 }, () => ({
      name: `push, ${name}`,
      isPush: true,
      overflow,
      source: (batches: readonly Specimen[], first: number, onPush: (index: number, tensor: TensorInput) => void) =>
        pushed(scene, batches, first, onPush),
    })),
  ]);
}

async function* generated(
  scene: Scene,
  batches: readonly Specimen[],
  first: number,
  onPush: (index: number, tensor: TensorInput) => void,
): AsyncGenerator<TensorInput> {
  for (let index = first; index < batches.length; index++) {
    const tensor = await scene.bring(batches[index]!);
    onPush(index, tensor);
    yield tensor;
  }
}

function* listed(
  scene: Scene,
  batches: readonly Specimen[],
  first: number,
  onPush: (index: number, tensor: TensorInput) => void,
): Generator<TensorInput> {
  for (let index = first; index < batches.length; index++) {
    const tensor = scene.bringNow(batches[index]!);
    onPush(index, tensor);
    yield tensor;
  }
}

function readable(batches: AsyncGenerator<TensorInput>): ReadableStream<TensorInput> {
  let isCancelled = false;
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await batches.next();
        // A batch that comes after nobody wants it any more is still the source's.
        if (isCancelled) {
          if (value instanceof TensorLease) value.release();
        } else if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        isCancelled = true;
        await batches.return(undefined);
      },
    },
    // It reads nothing ahead: nobody would release what it has read.
    { highWaterMark: 0 },
  );
}

/** Bursts with pauses between them. */
function pushed(
  scene: Scene,
  batches: readonly Specimen[],
  first: number,
  onPush: (index: number, tensor: TensorInput) => void,
): Observable<TensorInput> {
  return new Observable((subscriber) => {
    let index = first;
    let timer: NodeJS.Timeout | undefined;
    const burst = (): void => {
      for (let left = scene.random.between(1, 6); left > 0 && index < batches.length && !subscriber.closed; left--) {
        const tensor = scene.bringNow(batches[index]!);
        onPush(index++, tensor);
        subscriber.next(tensor);
      }
      if (index >= batches.length) subscriber.complete();
      else if (!subscriber.closed) timer = setTimeout(burst, scene.random.below(6));
    };
    timer = setTimeout(burst, 0);
    return () => clearTimeout(timer);
  });
}
