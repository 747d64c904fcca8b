import { readAnnouncement, writeAnnouncement } from './announcement.js';

describe('an announcement', () => {
  it('is read as it was written', () => {
    const announcements = [
      { from: 'a', name: 'n', keys: ['k', '\ud800'] },
      { from: 'a', name: 'n', tags: ['t'], all: true as const },
      { from: 'a', name: '', proof: 'p' },
    ];
    for (const one of announcements) {
      expect(readAnnouncement(Buffer.from(writeAnnouncement(one)))).toEqual(one);
    }
  });

  it.each(['', 'x', '1', 'null', '[]', '{}', '{"from":1,"name":"n"}', '{"from":"a"}'])(
    'is not what somebody else published: %j',
    (payload) => {
      expect(readAnnouncement(payload)).toBeUndefined();
    },
  );

  it('names nothing that is no list of texts', () => {
    const payload = '{"from":"a","name":"n","keys":[1],"tags":"t","all":1,"__proto__":{"x":1}}';
    expect(readAnnouncement(payload)).toEqual({ from: 'a', name: 'n' });
  });
});
