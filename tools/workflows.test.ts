import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '../.github/workflows');
const workflows = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(join(folder, name), 'utf8'),
}));

describe.each(workflows)('the workflow $name', ({ text }) => {
  it('names every action by its commit, and says which version that is', () => {
    const used = [...text.matchAll(/\buses: *(.+)$/gm)].map(([, action = '']) => action);
    expect(used.length).toBeGreaterThan(0);
    const loose = used.filter((action) => !/^[\w./-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/.test(action));
    expect(loose).toEqual([]);
  });

  it('says what it may do, and how two of its runs go together', () => {
    expect(text).toMatch(/^permissions:/m);
    expect(text).toMatch(/^concurrency:/m);
  });
});
