/**
 * One line that is rewritten on a terminal; elsewhere, a line whenever another case begins.
 *
 * @param {NodeJS.WriteStream} stream
 */
export function printer(stream) {
  let last = '';
  return {
    /** @param {number} done @param {number} total @param {string} about @param {string} contestant */
    show(done, total, about, contestant) {
      if (stream.isTTY) stream.write(`\r\x1b[K${done + 1}/${total} ${about}: ${contestant}`);
      else if (about !== last) stream.write(`${done + 1}/${total} ${about}\n`);
      last = about;
    },
    clear() {
      if (stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}
