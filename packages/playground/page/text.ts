const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function count(value: number): string {
  return whole.format(value);
}

/** So many of something: `1 loop`, `2 loops`. */
export function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}

export function percent(share: number): string {
  return `${fine.format(share * 100)} %`;
}

export function milliseconds(ms: number): string {
  return `${ms < 10 ? fine.format(ms) : whole.format(ms)} ms`;
}

/** A time in the unit that fits it: `350 ms`, `12 s`, `3 min 20 s`, `2 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${whole.format(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60)
    return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

export function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}
