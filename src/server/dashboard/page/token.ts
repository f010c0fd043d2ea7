/**
 * The token: asked for once, and kept for as long as the tab is open.
 * @module
 */
import { byId, setText } from './dom.js';

const KEY = 'quantlane-token';

/** The token of this tab; undefined where none was given. */
export function rememberedToken(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Calls back with each token that is entered. */
export function onToken(use: (token: string) => void): void {
  const input = byId<HTMLInputElement>('token');
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const token = input.value.trim();
    if (token === '') return;
    try {
      sessionStorage.setItem(KEY, token);
    } catch {
      // Then it is asked for again after the next reload.
    }
    use(token);
  });
}

/** Asks for a token, and says so where the last one was wrong. */
export function askForToken(wasWrong: boolean): void {
  const entry = byId('entry');
  setText(byId('token-error'), wasWrong ? 'This is not the token of this server.' : '');
  byId('token').toggleAttribute('aria-invalid', wasWrong);
  if (!entry.hidden && !wasWrong) return;
  entry.hidden = false;
  byId('board').hidden = true;
  byId('token').focus();
}

/** The token was right. */
export function tokenAccepted(): void {
  byId('entry').hidden = true;
  byId('board').hidden = false;
}
