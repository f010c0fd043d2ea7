/**
 * The page: reads the feed and shows it.
 * @module
 */
import type { DriftState } from '../../../watch/index.js';
import type { DashboardUpdate } from '../state.js';
import { Connection, type ConnectionState } from './connection.js';
import { Detail } from './detail.js';
import { byId, setText } from './dom.js';
import { uptimeText } from './format.js';
import { Overview } from './overview.js';
import { stateWord } from './states.js';
import { Streams } from './streams.js';
import { watchTheme } from './theme.js';
import { askForToken, onToken, rememberedToken, tokenAccepted } from './token.js';

let token = rememberedToken();
let chosen: string | undefined;
let isTokenTried = false;
let wasLive = false;
const states = new Map<string, DriftState>();

const connection = new Connection(show, showConnection);
const overview = new Overview();
const streams = new Streams(() => token !== undefined, choose);
const detail = new Detail();

watchTheme(() => {
  overview.restyle();
  detail.restyle();
});
onToken((entered) => {
  token = entered;
  isTokenTried = true;
  connection.open(token, chosen);
});
byId('reconnect').addEventListener('click', () => connection.open(token, chosen));
connection.open(token, undefined);

function choose(id: string): void {
  chosen = id;
  connection.open(token, id);
}

function show(update: DashboardUpdate): void {
  const { state, stream } = update;
  setText(byId('server'), `${location.host} · ${state.version} · up ${uptimeText(state.uptime)}`);
  tokenAccepted();
  overview.update(state);
  const isThere = state.streams.some(({ id }) => id === chosen);
  if (!isThere && state.streams.length > 0) {
    const [first] = [...state.streams].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
    choose(first!.id);
  }
  streams.update(state, chosen);
  detail.update(stream);
  tellChanges(update);
}

/** Says which streams drift now or do not any more; nothing else is worth an interruption. */
function tellChanges({ state }: DashboardUpdate): void {
  const told: string[] = [];
  for (const { id, drift } of state.streams) {
    const before = states.get(id);
    if (before !== drift.state && (drift.state === 'drift' || before === 'drift')) {
      told.push(`${id}: ${stateWord(drift.state)}`);
    }
    states.set(id, drift.state);
  }
  if (told.length > 0) setText(byId('announcer'), told.join('. '));
}

function showConnection(state: ConnectionState): void {
  const element = byId('connection');
  element.dataset['state'] = state.name;
  byId('board').classList.toggle('old', state.name === 'stale' || state.name === 'disconnected');
  byId('reconnect').hidden = state.name !== 'disconnected';
  setText(byId('connection-text'), connectionText(state));
  if (state.name === 'unauthorized') askForToken(isTokenTried || token !== undefined);
  if (state.name === 'live' && !wasLive) setText(byId('announcer'), 'Connected');
  if (state.name === 'disconnected' && wasLive) setText(byId('announcer'), 'Disconnected');
  if (state.name === 'live' || state.name === 'disconnected') wasLive = state.name === 'live';
}

function connectionText(state: ConnectionState): string {
  switch (state.name) {
    case 'live':
      return 'Live';
    case 'connecting':
      return 'Connecting';
    case 'unauthorized':
      return 'Token needed';
    case 'stale':
      return `Stale: nothing for ${state.seconds} s`;
    case 'disconnected':
      return `Disconnected: ${state.reason}. Next try in ${state.seconds} s`;
  }
}
