import {
  ISAPNP_ACTIVATE,
  ISAPNP_ADDRESS_PORT,
  ISAPNP_CARD_SELECT_NUMBER,
  ISAPNP_CONFIG_CONTROL,
  ISAPNP_CONTROL_RESET_CSN,
  ISAPNP_CONTROL_WAIT_FOR_KEY,
  ISAPNP_DMA_0,
  ISAPNP_IDENTIFIER_BITS,
  ISAPNP_IDENTIFIER_BYTES,
  ISAPNP_IO_BASE_0,
  ISAPNP_IRQ_0,
  ISAPNP_IRQ_HIGH,
  ISAPNP_IRQ_TYPE_0,
  ISAPNP_ISOLATION_FIRST,
  ISAPNP_ISOLATION_SECOND,
  ISAPNP_LOGICAL_DEVICE,
  ISAPNP_RESOURCE_DATA,
  ISAPNP_SERIAL_ISOLATION,
  ISAPNP_SET_READ_DATA,
  ISAPNP_STATUS,
  ISAPNP_STATUS_READY,
  ISAPNP_WAKE,
  ISAPNP_WRITE_DATA_PORT,
  isapnpChecksum,
  isapnpIdText,
  isapnpInitiationKey,
} from '../../hal/index.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { IsaCardUnderTest } from '../card-under-test.ts';
import type { Expectations } from '../check.ts';
import type { Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { U8_MONO } from './pcm.ts';

const NUMBER = 7;
const READ_DATA_PORT = 0x273;
/** Tags of the resource data (PnP ISA §6.2.2): small items in bits 6:3. */
const TAG_LOGICAL_DEVICE = 2;
const TAG_END = 15;
const LARGE = 0x80;
/** More than the card can have. */
const LONGEST_DATA = 1024;
const AUDIO = 0;

/** The protocol by its three ports, as the specification has it. */
class PnpPorts {
  readonly #card: IsaCardUnderTest;

  constructor(card: IsaCardUnderTest) {
    this.#card = card;
  }

  key(bytes: readonly number[] = isapnpInitiationKey()): void {
    for (const byte of [0, 0, ...bytes]) this.#card.writePort(ISAPNP_ADDRESS_PORT, byte);
  }

  write(register: number, value: number): void {
    this.#card.writePort(ISAPNP_ADDRESS_PORT, register);
    this.#card.writePort(ISAPNP_WRITE_DATA_PORT, value);
  }

  read(register: number): number {
    this.#card.writePort(ISAPNP_ADDRESS_PORT, register);
    return this.#card.readPort(READ_DATA_PORT);
  }

  /** The next byte of the resource data, -1 when it does not become ready. */
  nextByte(): number {
    const ready = this.#card.waitUntil(
      () => (this.read(ISAPNP_STATUS) & ISAPNP_STATUS_READY) !== 0,
      TICKS_PER_MILLISECOND,
    );
    return ready ? this.read(ISAPNP_RESOURCE_DATA) : -1;
  }

  /** Takes all numbers away, isolates one card, and gives it a number. The identifier that it showed. */
  isolate(number: number): Uint8Array {
    this.key();
    this.write(ISAPNP_CONFIG_CONTROL, ISAPNP_CONTROL_RESET_CSN);
    this.write(ISAPNP_WAKE, 0);
    this.write(ISAPNP_SET_READ_DATA, READ_DATA_PORT >> 2);
    this.#card.writePort(ISAPNP_ADDRESS_PORT, ISAPNP_SERIAL_ISOLATION);
    this.#card.letTimePass(TICKS_PER_MILLISECOND);
    const identifier = new Uint8Array(ISAPNP_IDENTIFIER_BYTES);
    for (let bit = 0; bit < ISAPNP_IDENTIFIER_BITS; bit++) {
      const pair = [this.#card.readPort(READ_DATA_PORT), this.#card.readPort(READ_DATA_PORT)];
      if (pair[0] === ISAPNP_ISOLATION_FIRST && pair[1] === ISAPNP_ISOLATION_SECOND)
        identifier[bit >> 3] = (identifier[bit >> 3] ?? 0) | (1 << (bit & 7));
      this.#card.letTimePass(250 * TICKS_PER_MICROSECOND);
    }
    this.write(ISAPNP_CARD_SELECT_NUMBER, number);
    return identifier;
  }

  /** Back to where only the key is heard. */
  leave(): void {
    this.write(ISAPNP_CONFIG_CONTROL, ISAPNP_CONTROL_WAIT_FOR_KEY);
  }
}

/** A check with the card isolated and in its configuration state, audio device selected; what it left of the configuration is undone later. */
function configured(
  run: (bench: Sb16Bench, expect: Expectations, pnp: PnpPorts, identifier: Uint8Array) => void,
): CheckRow[3] {
  return (bench, expect) => {
    bench.moved = true;
    const pnp = new PnpPorts(bench.card);
    const identifier = pnp.isolate(NUMBER);
    pnp.write(ISAPNP_LOGICAL_DEVICE, AUDIO);
    run(bench, expect, pnp, identifier);
    pnp.leave();
  };
}

/** A mixer register that shows whether the card answers at this base. */
function answersAt(bench: Sb16Bench, base: number): boolean {
  const { card } = bench;
  card.writePort(base + 4, 0x32);
  card.writePort(base + 5, 0xa8);
  return card.readPort(base + 5) === 0xa8;
}

function setBase(pnp: PnpPorts, range: number, base: number): void {
  pnp.write(ISAPNP_IO_BASE_0 + 2 * range, base >> 8);
  pnp.write(ISAPNP_IO_BASE_0 + 2 * range + 1, base & 0xff);
}

interface ResourceData {
  readonly bytes: readonly number[];
  readonly logicalDevices: number;
  readonly ended: boolean;
}

/** Reads the resource data behind the identifier to their end tag. */
function readResourceData(pnp: PnpPorts): ResourceData {
  const bytes: number[] = [];
  let logicalDevices = 0;
  const next = () => {
    bytes.push(pnp.nextByte());
    return bytes.at(-1) ?? -1;
  };
  while (bytes.length < LONGEST_DATA) {
    const tag = next();
    if (tag < 0) break;
    if ((tag & LARGE) !== 0) {
      const length = next() | (next() << 8);
      for (let i = 0; i < length; i++) next();
      continue;
    }
    const item = (tag >> 3) & 0xf;
    for (let i = 0; i < (tag & 7); i++) next();
    if (item === TAG_LOGICAL_DEVICE) logicalDevices++;
    if (item === TAG_END) return { bytes, logicalDevices, ended: true };
  }
  return { bytes, logicalDevices, ended: false };
}

export const PNP_CHECKS = checkTable(
  'PNP',
  'Plug and Play',
  [
    [
      '001',
      'Without the key it does not hear the ports',
      'PnP ISA §3.3',
      (bench, expect) => {
        bench.moved = true;
        const pnp = new PnpPorts(bench.card);
        pnp.isolate(NUMBER);
        pnp.leave();
        pnp.write(ISAPNP_WAKE, NUMBER);
        expect.equal('status', pnp.read(ISAPNP_STATUS), 0xff);
        expect.equal('number', pnp.read(ISAPNP_CARD_SELECT_NUMBER), 0xff);
        expect.that('audio ports', answersAt(bench, bench.card.resources.base), 'answer', 'do not answer');
      },
    ],
    [
      '002',
      'A key with one wrong byte is none',
      'PnP ISA §3.3',
      (bench, expect) => {
        bench.moved = true;
        const pnp = new PnpPorts(bench.card);
        pnp.isolate(NUMBER);
        pnp.leave();
        const key = isapnpInitiationKey();
        pnp.key(key.map((byte, index) => (index === 20 ? byte ^ 1 : byte)));
        pnp.write(ISAPNP_WAKE, NUMBER);
        expect.equal('number', pnp.read(ISAPNP_CARD_SELECT_NUMBER), 0xff);
      },
    ],
    [
      '003',
      'Isolation shows an identifier of Creative with its checksum',
      'PnP ISA §3.3.1, appendix B',
      configured((_bench, expect, _pnp, identifier) => {
        const id = isapnpIdText(identifier);
        expect.that('identifier', /^CTL00[0-9A-F]{2}$/.test(id), 'CTL00xx', id);
        expect.equal('checksum', identifier[8] ?? -1, isapnpChecksum(identifier));
      }),
    ],
    [
      '004',
      'It keeps the number that it is given',
      'PnP ISA §4.4, A.1',
      configured((_bench, expect, pnp) => {
        expect.equal('card select number', pnp.read(ISAPNP_CARD_SELECT_NUMBER), NUMBER);
        pnp.write(ISAPNP_WAKE, NUMBER);
        expect.equal('after a wake with it', pnp.read(ISAPNP_CARD_SELECT_NUMBER), NUMBER);
      }),
    ],
    [
      '005',
      'A wake with another number puts it to sleep',
      'PnP ISA §4.4, A.1',
      configured((_bench, expect, pnp) => {
        pnp.write(ISAPNP_WAKE, NUMBER + 1);
        expect.equal('card select number', pnp.read(ISAPNP_CARD_SELECT_NUMBER), 0xff);
        pnp.write(ISAPNP_WAKE, NUMBER);
        expect.equal('when it is woken again', pnp.read(ISAPNP_CARD_SELECT_NUMBER), NUMBER);
      }),
    ],
    [
      '006',
      'Its resource data begin with the identifier, end with a checksum, and have two logical devices',
      'PnP ISA §4.6, §6.2',
      configured((_bench, expect, pnp, identifier) => {
        pnp.write(ISAPNP_WAKE, NUMBER);
        const again = Array.from({ length: ISAPNP_IDENTIFIER_BYTES }, () => pnp.nextByte());
        expect.same('identifier', again.slice(0, 8), identifier.subarray(0, 8));
        const { bytes, logicalDevices, ended } = readResourceData(pnp);
        expect.that('end tag', ended, 'there', 'missing');
        expect.equal('sum of all bytes', bytes.reduce((sum, byte) => sum + byte, 0) & 0xff, 0);
        expect.between('logical devices', logicalDevices, 2, 3);
      }),
    ],
    [
      '007',
      'The configuration registers read back what they were given',
      'PnP ISA A.2, A.3',
      (bench, expect) => {
        bench.moved = true;
        bench.card.configure();
        const pnp = new PnpPorts(bench.card);
        pnp.key();
        // The bench gave the only card number 1.
        pnp.write(ISAPNP_WAKE, 1);
        pnp.write(ISAPNP_LOGICAL_DEVICE, AUDIO);
        const { base, irq, dma8, dma16 } = bench.card.resources;
        expect.equal('logical device', pnp.read(ISAPNP_LOGICAL_DEVICE), AUDIO);
        expect.equal('activate', pnp.read(ISAPNP_ACTIVATE), 1);
        expect.equal('I/O base, high', pnp.read(ISAPNP_IO_BASE_0), base >> 8);
        expect.equal('I/O base, low', pnp.read(ISAPNP_IO_BASE_0 + 1), base & 0xff);
        expect.equal('interrupt', pnp.read(ISAPNP_IRQ_0), irq);
        expect.equal('interrupt type', pnp.read(ISAPNP_IRQ_TYPE_0), ISAPNP_IRQ_HIGH);
        expect.equal('first channel', pnp.read(ISAPNP_DMA_0), dma8);
        expect.equal('second channel', pnp.read(ISAPNP_DMA_0 + 1), dma16);
        pnp.leave();
      },
    ],
    [
      '008',
      'A device that is not active answers nowhere',
      'PnP ISA A.2',
      configured((bench, expect, pnp) => {
        const { base } = bench.card.resources;
        expect.that('while active', answersAt(bench, base), 'it answers', 'it does not');
        pnp.write(ISAPNP_ACTIVATE, 0);
        expect.that('when not', !answersAt(bench, base), 'nothing answers', 'it answers');
        pnp.write(ISAPNP_ACTIVATE, 1);
        expect.that('active again', answersAt(bench, base), 'it answers', 'it does not');
      }),
    ],
    [
      '009',
      'It answers at each base that it is given, and nowhere else',
      'PnP ISA A.3',
      configured((bench, expect, pnp) => {
        const bases = [0x240, 0x260, 0x280, 0x220];
        for (const base of bases) {
          setBase(pnp, 0, base);
          for (const other of bases) {
            const name = other.toString(16);
            expect.that(
              `${name}h with base ${base.toString(16)}h`,
              answersAt(bench, other) === (other === base),
              other === base ? 'it answers' : 'nothing answers',
              'the opposite',
            );
          }
        }
      }),
    ],
    [
      '010',
      'It interrupts on each line that it is given',
      'PnP ISA A.3; HPG §4, 80h',
      configured((bench, expect, pnp) => {
        for (const [line, bit] of [
          [7, 4],
          [10, 8],
          [9, 1],
          [5, 2],
        ] as const) {
          pnp.write(ISAPNP_IRQ_0, line);
          bench.dsp(0xf2);
          expect.that(`line ${line}`, bench.card.isLineAsserted(line), 'asserted', 'low');
          expect.bits(`80h for line ${line}`, bench.readMixer(0x80), 0x0f, bit);
          bench.acknowledge(8);
          expect.that(`line ${line} afterwards`, !bench.card.isLineAsserted(line), 'low', 'asserted');
        }
      }),
    ],
    [
      '011',
      'It moves data through each 8-bit channel that it is given',
      'PnP ISA A.3; HPG §4, 81h',
      configured((bench, expect, pnp) => {
        for (const channel of [0, 3, 1]) {
          pnp.write(ISAPNP_DMA_0, channel);
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
          expect.bits(`81h for channel ${channel}`, bench.readMixer(0x81), 0x0b, 1 << channel);
          bench.resetDsp();
          bench.card.maskDma(channel, true);
        }
      }),
    ],
    [
      '012',
      'Writing 80h and 81h does not move a card that Plug and Play has placed',
      'HPG §4, 80h, 81h',
      (bench, expect) => {
        const before = [bench.readMixer(0x80), bench.readMixer(0x81)] as const;
        bench.writeMixer(0x80, 0x04);
        bench.writeMixer(0x81, 0x88);
        expect.equal('80h', bench.readMixer(0x80), before[0]);
        expect.equal('81h', bench.readMixer(0x81), before[1]);
        bench.dsp(0xf2);
        expect.that('its line', bench.asserted, 'asserted', 'low');
      },
    ],
    [
      '013',
      'The MPU-401 and the FM chip have bases of their own',
      'PnP ISA A.3',
      configured((bench, expect, pnp) => {
        const { card } = bench;
        setBase(pnp, 1, 0x300);
        card.writePort(0x301, 0xff);
        card.letTimePass(TICKS_PER_MILLISECOND);
        expect.equal('MPU-401 data at 300h', card.readPort(0x300), 0xfe);
        expect.equal('330h', card.readPort(0x331), 0xff);
        setBase(pnp, 2, 0);
        expect.equal('388h without FM', card.readPort(0x388), 0xff);
        setBase(pnp, 2, 0x388);
        expect.bits('388h with FM', card.readPort(0x388), 0x06, 0);
      }),
    ],
  ],
  'pnp',
);
