import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { IsaCardUnderTest } from '../card-under-test.ts';
import { hex } from '../check.ts';
import { checkTable } from './check-table.ts';
import { U8_MONO } from './pcm.ts';

/** An interrupt line by bits of the setup register. */
const SETUP_LINES: readonly (readonly [bit: number, line: number])[] = [
  [0x01, 9],
  [0x04, 7],
  [0x08, 10],
  [0x02, 5],
];

function gamePort({ resources }: IsaCardUnderTest): number {
  return (resources.gameBase ?? 0x200) + 1;
}

/** Where parts are on cards that have them. */
const USUAL_PORTS = { mpuBase: [0x330, 0x331], fmBase: [0x388, 0x38a], gameBase: [0x200, 0x201] } as const;

export const PLACE_CHECKS = [
  ...checkTable('PART', 'Parts', [
    [
      '001',
      'Where a part would be that the card does not have, nothing answers',
      'HPG §1, I/O ports',
      ({ card }, expect) => {
        for (const part of ['mpuBase', 'fmBase', 'gameBase'] as const) {
          if (card.resources[part] !== null) continue;
          for (const port of USUAL_PORTS[part]) expect.equal(`port ${hex(port)}`, card.readPort(port), 0xff);
        }
      },
    ],
  ]),
  ...checkTable(
    'JMP',
    'Setup registers of a card with jumpers',
    [
      [
        '001',
        'Interrupt setup moves the interrupt to another line',
        'HPG §4, 80h',
        (bench, expect) => {
          for (const [bit, line] of SETUP_LINES) {
            bench.writeMixer(0x80, bit);
            bench.dsp(0xf2);
            expect.bits(`80h for line ${line}`, bench.readMixer(0x80), 0x0f, bit);
            expect.that(`line ${line}`, bench.card.isLineAsserted(line), 'asserted', 'low');
            bench.acknowledge(8);
            expect.that(`line ${line} afterwards`, !bench.card.isLineAsserted(line), 'low', 'asserted');
          }
          bench.writeMixer(0x80, 0x02);
        },
      ],
      [
        '002',
        'DMA setup moves 8-bit transfers to another channel',
        'HPG §4, 81h',
        (bench, expect) => {
          for (const channel of [0, 3, 1]) {
            bench.writeMixer(0x81, (1 << channel) | 0x20);
            const address = bench.buffer(new Uint8Array(1024).fill(0x80));
            bench.card.programDma(channel, { address, bytes: 1024, direction: 'toCard' });
            bench.setRate(44_100);
            bench.transfer(U8_MONO, 0, 1024);
            expect.that(
              `channel ${channel}`,
              bench.waitInterrupt(200 * TICKS_PER_MILLISECOND),
              'an interrupt',
              'none',
            );
            bench.resetDsp();
            bench.card.maskDma(channel, true);
          }
          bench.writeMixer(0x81, 0x22);
        },
      ],
    ],
    'jumpers',
  ),
  ...checkTable(
    'GAME',
    'Game port',
    [
      [
        '001',
        'Without a joystick all buttons are up',
        'HPG §1, game port',
        (bench, expect) => expect.bits('port', bench.card.readPort(gamePort(bench.card)), 0xf0, 0xf0),
      ],
      [
        '002',
        'Without a joystick the axes never end',
        'HPG §1, game port',
        (bench, expect) => {
          const port = gamePort(bench.card);
          bench.card.writePort(port, 0xff);
          for (const milliseconds of [0, 1, 10, 100]) {
            bench.card.letTimePass(milliseconds * TICKS_PER_MILLISECOND);
            expect.bits(`axes ${milliseconds} ms later`, bench.card.readPort(port), 0x0f, 0x0f);
          }
        },
      ],
    ],
    'game',
  ),
];
