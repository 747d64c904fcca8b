import { theme, type Theme } from '../theme.js';

export function ThemeSwitch() {
  return (
    <div class="theme">
      <label for="theme">Theme</label>
      <select
        id="theme"
        value={theme.value}
        onChange={(event) => {
          theme.value = event.currentTarget.value as Theme;
        }}
      >
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </div>
  );
}
