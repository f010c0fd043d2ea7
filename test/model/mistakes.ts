/** Mistakes, the scenario in which each is looked for, and the property that it violates. */
import type { LaneMistakes } from './lane.js';
import type { Mistakes } from './producer.js';
import type { Change } from './rings.js';
import type { ScenarioName } from './scenarios.js';

/** A mistake of the ring: a change of its source. */
interface RingMistake {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly scenario: ScenarioName;
  readonly property: RegExp;
}

/** A mistake of a dispatcher or a lane. */
interface OtherMistake {
  readonly name: string;
  readonly mistakes: Mistakes & LaneMistakes;
  readonly scenario: ScenarioName;
  readonly property: RegExp;
}

const STATE = 'this\\.words, at \\+ 0 /\\* Word\\.State \\*/';
const LOST = /^no lost wakeup/;

export const RING_MISTAKES: readonly RingMistake[] = [
  {
    name: 'whether a pass is settled is asked before the state is stored',
    changes: [
      [
        new RegExp(`Atomics\\.store\\(${STATE}, state\\);\\s+if \\(!this\\.#isSettled\\(first, count\\)\\)`),
        'let open = 0; for (let k = 0; k < count; k++) if (![2, 3].includes(this.state(first + k))) open++; Atomics.store(this.words, at, state); if (open > 1)',
      ],
    ],
    scenario: 'a job in two parts and a crash',
    property: LOST,
  },
  {
    name: 'the words of a pass are read after the state is stored',
    changes: [
      [
        new RegExp(`const first = this\\.words\\[at \\+ 28[^;]*;[^;]*;[^;]*;\\s+Atomics\\.store\\(${STATE}, state\\);`),
        'Atomics.store(this.words, at, state); const first = this.words[at + 28]; const count = this.words[at + 29]; const leads = this.words[at + 30] === 1;',
      ],
    ],
    scenario: 'two callers',
    property: /^ownership/,
  },
  {
    name: 'a claimed slot is not looked at again',
    changes: [[/if \(this\.#isDue\(address\)\)\s+return address;/, 'return address;']],
    scenario: 'two passes in slots that were used',
    property: /^barrier/,
  },
  {
    name: 'a claim ignores the earlier pass',
    changes: [
      // It asks all the same, as `rings` expects of it.
      ['|| !this.#isDue(address))', '|| (this.#isDue(address), false))'],
      [/if \(this\.#isDue\(address\)\)\s+return address;/, 'return address;'],
    ],
    scenario: 'two passes and a crash',
    property: /^barrier/,
  },
  {
    name: 'a claim is a load and a store',
    changes: [
      [
        /if \(Atomics\.compareExchange\(this\.words, state, 1 [^,]*, [^)]*\) !== 1 [^)]*\)\s+continue;/,
        'Atomics.store(this.words, state, 16 + lane);',
      ],
    ],
    scenario: 'two callers',
    property: /^(ownership|exactly once)/,
  },
  {
    name: 'the end of a first pass whose second was withdrawn wakes lanes only',
    changes: [[/if \(!leads [^)]*\) === 3 [^)]*\)/, 'if (!leads)']],
    scenario: 'two passes and an abort',
    property: LOST,
  },
  {
    name: 'lanes are notified without a count',
    changes: [['Atomics.add(this.words, 64 /* Shared.Work */, 1);', '']],
    scenario: 'two callers',
    property: LOST,
  },
  {
    name: 'the producer is notified without a count',
    changes: [['Atomics.add(this.words, 96 /* Shared.Finished */, 1);', '']],
    scenario: 'two callers',
    property: LOST,
  },
  {
    name: 'lanes are notified before the count',
    changes: [
      [
        /Atomics\.add\(this\.words, 64 [^;]*;\s+Atomics\.notify\(this\.words, 64 [^;]*;/,
        'Atomics.notify(this.words, 64, count); Atomics.add(this.words, 64, 1);',
      ],
    ],
    scenario: 'two callers',
    property: LOST,
  },
  {
    name: 'what a dead lane held is given up at once',
    changes: [['if (tried < attempts)', 'if (tried < attempts - 1)']],
    scenario: 'two callers and a crash',
    property: /^crash recovery/,
  },
  {
    name: 'what a dead lane held is never given up',
    changes: [['if (tried < attempts)', 'if (true)']],
    scenario: 'a poison batch beside another',
    property: /^crash recovery/,
  },
  {
    name: 'a running slot can be withdrawn',
    changes: [
      [
        /if \(Atomics\.compareExchange\(this\.words, at \+ 0 [^,]*, 1 [^,]*, 3 [^)]*\) !== 1 [^)]*\)\s+return false;/,
        'if (Atomics.load(this.words, at) === 2) return false;',
      ],
    ],
    scenario: 'two callers, one of whom aborts',
    property: /^(lease safety|ownership)/,
  },
  {
    name: 'a stop does not rouse lanes that rest',
    changes: [['this.wake(MAX_LANES);\n        this.rouse();', 'this.wake(MAX_LANES);']],
    scenario: 'a lane is drained, and a stop',
    property: LOST,
  },
];

export const MISTAKES: readonly OtherMistake[] = [
  {
    name: 'a dispatcher that ends an aborted call while a lane works on it',
    mistakes: { endsOnAbort: true },
    scenario: 'two callers, one of whom aborts',
    property: /^lease safety/,
  },
  {
    name: 'a dispatcher that wakes nobody for what a dead lane held',
    mistakes: { losesQuietly: true },
    scenario: 'a crash, and a stop',
    property: LOST,
  },
  {
    name: 'a dispatcher that forgets what a dead lane held',
    mistakes: { forgetsTheDead: true },
    scenario: 'a crash, and a stop',
    property: /^(no lost wakeup|progress|ownership)/,
  },
  {
    name: 'a dispatcher that frees the slots of a job with its first part',
    mistakes: { freesEarly: true },
    scenario: 'a job in two parts and a crash',
    property: /^(exactly once|lease safety|ownership)/,
  },
  {
    name: 'a lane that counts after it has looked',
    mistakes: { countsLate: true },
    scenario: 'two callers',
    property: LOST,
  },
  {
    name: 'a lane that asks whether to stop before it counts',
    mistakes: { stopsFirst: true },
    scenario: 'a crash, and a stop',
    property: LOST,
  },
  {
    name: 'a drained lane that waits among those that work',
    mistakes: { restsAmongSleepers: true },
    scenario: 'a lane is drained, and a stop',
    property: LOST,
  },
  {
    name: 'a lane that is drained in its sleep and says nothing',
    mistakes: { drainsQuietly: true },
    scenario: 'a lane is drained, and a stop',
    property: LOST,
  },
];
