import { plotSimulation } from './plot.js';
import { simulate } from './simulate.js';
import { TraceSampler } from './sampled-trace.js';

const SOME = Array.from({ length: 300 }, (_, at) => `key ${(at * at) % 17}`);

function plotted(title: string, keys = SOME): string {
  const sampler = new TraceSampler(1000);
  for (const key of keys) sampler.add(key);
  return plotSimulation(simulate(sampler.finish()), title);
}

describe('plotSimulation', () => {
  it.each([
    ['a tab\tand a line\nbreak', 'a tab\tand a line\nbreak'],
    ['</text><script>"&amp;', '&#60;/text&#62;&#60;script&#62;&#34;&#38;amp;'],
    ['\0a\x01b\x1b[31mc\v\f\x1f', '\ufffda\ufffdb\ufffd[31mc\ufffd\ufffd\ufffd'],
    ['half a \ud83d, \ude00 and 😀', 'half a \ufffd, \ufffd and 😀'],
    ['\ufffe\uffff\ufdd0', '\ufffd\ufffd\ufdd0'],
    ['\x7f\x85 is legal', '\x7f\x85 is legal'],
  ])('is well-formed for every title: %j', (title, text) => {
    const svg = plotted(title);
    expect(svg).toContain(`>${text}</text>`);
    expect(svg.replace(text, '')).toBe(plotted(''));
  });

  it.each(['a', 'a a', 'a b', 'a b a', 'a b c d e f g h i j k l m n o p q r s t u v w x y z'])(
    'has numbers alone for the keys of %j',
    (keys) => {
      expect(plotted('', keys.split(' '))).not.toMatch(/NaN|Infinity|undefined/);
    },
  );
});
