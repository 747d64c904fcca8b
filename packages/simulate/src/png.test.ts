import { pngPainter } from './png.js';

const drawing = (text: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30" font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>${text}</svg>`;

describe('pngPainter', () => {
  it('draws texts without a font of the system', async () => {
    const paint = await pngPainter(require);
    const texts = ['', '<text x="9" y="20">90 %</text>', '<text x="9" y="20">80 %</text>'];
    const pngs = texts.map((text) => Buffer.from(paint(drawing(text))).toString('base64'));
    expect(new Set(pngs).size).toBe(3);
  });
});
