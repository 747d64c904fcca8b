import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const STORED_AS = 'acache-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** What was chosen. */
export const theme = signal<Theme>(stored());
/** Whether the page is dark now, by choice or by the system's. */
export const isDark = signal(false);

/** Keeps the page as light or as dark as it was chosen to be. */
export function followTheme(): void {
  const follow = (): void => {
    isDark.value = theme.value === 'dark' || (theme.value === 'system' && system.matches);
    document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light';
  };
  system.addEventListener('change', follow);
  effect(() => {
    follow();
    try {
      localStorage.setItem(STORED_AS, theme.value);
    } catch {
      // Then it is not remembered.
    }
  });
}

function stored(): Theme {
  try {
    const found = localStorage.getItem(STORED_AS);
    return found === 'light' || found === 'dark' ? found : 'system';
  } catch {
    return 'system';
  }
}
