import fc from 'fast-check';
import { Flight } from './flight.js';
import { FlightIndex } from './flight-index.js';
import type { KeyId } from './cache-key.js';
import type { Query } from './query.js';

const IDS: readonly KeyId[] = ['a', 'b', '', 0, -0, 1, NaN, 1n, true, null, undefined];

function flightOf(id: KeyId): Flight<KeyId, number> {
  const query = { id, key: id, loader: undefined, counted: true } as unknown;
  return new Flight(query as Query<KeyId, number>, 'load', false, undefined, 0);
}

test('finds, keeps and forgets flights as a Map does', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'add', 'add', 'delete', 'clear'),
    id: fc.constantFrom(...IDS),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new FlightIndex<KeyId, number>();
      const model = new Map<KeyId, Flight<KeyId, number>>();
      for (const { what, id } of steps) {
        const known = model.get(id);
        if (what === 'clear') {
          index.clear();
          model.clear();
        } else if (what === 'add' && known === undefined) {
          const flight = flightOf(id);
          index.add(flight);
          model.set(id, flight);
        } else if (what === 'delete' && known !== undefined) {
          index.delete(known);
          model.delete(id);
        }
        for (const each of IDS) expect(index.get(each)).toBe(model.get(each));
        expect(index.size).toBe(model.size);
        expect(new Set(index.all())).toEqual(new Set(model.values()));
      }
    }),
  );
});
