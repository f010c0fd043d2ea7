/**
 * Light, dark, or as the system has it.
 * @module
 */
import { byId, setText } from './dom.js';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const KEY = 'quantlane-theme';

/** Lets the theme be chosen; `onChange` is called where colours are others now. */
export function watchTheme(onChange: () => void): void {
  const button = byId<HTMLButtonElement>('theme');
  let theme = remembered();
  const apply = (): void => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    setText(button, `Theme: ${theme}`);
    onChange();
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
    remember(theme);
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  apply();
}

/** A colour of the style sheet as it is now. */
export function colorOf(name: string): string {
  probe ??= document.body.appendChild(document.createElement('i'));
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

let probe: HTMLElement | undefined;

function remembered(): Theme {
  try {
    const found = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === found) ?? 'system';
  } catch {
    // A browser may refuse to keep anything.
    return 'system';
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it lasts as long as the page.
  }
}
