import { describe } from 'vitest';
import { MULTI_STREAM_CARDS } from './support/multi-stream-cards.ts';
import { multiStreamSuite } from './support/multi-stream-suite.ts';

for (const card of MULTI_STREAM_CARDS) {
  const bits = [...card.renders, ...card.captures].map((pin) => pin.bits ?? 16).join(' and ');
  describe(`${card.name}, ${bits} bits`, () => {
    multiStreamSuite(card);
  });
}
