import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Ac97Bench,
  bytesOf,
  CAPTURE_PIN,
  CD_QUALITY,
  expectBitExact,
  MIC_PIN,
  noise,
  RENDER_PIN,
  setState,
} from '../../../test/support/ac97-bench.ts';
import { audioFormat, checkDriver, formatFailures, MemoryPcmReader } from '../../client/index.ts';
import { encodeProperty } from '../../client/requests/ks-object.ts';
import type { RtPin } from '../../client/streams/rt-pin.ts';
import { ArraySource } from '../../hardware/analog.ts';
import {
  NtError,
  ntStatusName,
  PowerSystemSleeping3,
  PowerSystemWorking,
  TICKS_PER_MILLISECOND,
} from '../../kernel/index.ts';
import {
  encodeDataFormat,
  KSAUDIO_PRESENTATION_POSITION,
  type KSDATAFORMAT,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  KSRTAUDIO_SETWRITEPACKET_INFO,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  pcmFormat,
} from '../../ks/index.ts';

/** The status that an action fails with, or 'success'. */
function statusOf(action: () => unknown): string {
  try {
    action();
    return 'success';
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
}

const open = (bench: Ac97Bench, pin = RENDER_PIN, format: KSDATAFORMAT = CD_QUALITY()): RtPin => {
  const filter = bench.openFilter('Wave');
  const opened = bench.openPin(filter, pin, format);
  filter.close();
  return opened;
};

describe("the AC'97 driver", () => {
  it('keeps the rules of topology, pins, ranges, intersection, controls and jacks', () => {
    using bench = new Ac97Bench({ flat: false });
    expect(formatFailures(checkDriver(bench.audio))).toBe('');
    // Nothing of it is left in the mixer.
    expectBitExact(bench, 'timer', 480);
  });

  it('opens every format at the corners of its ranges, and none beyond', () => {
    using bench = new Ac97Bench({ flat: false });
    for (const [pin, channels] of [
      [RENDER_PIN, 2],
      [CAPTURE_PIN, 2],
      [MIC_PIN, 1],
    ] as const) {
      for (const rate of [8000, 11_025, 44_100, 48_000])
        expect(statusOf(() => open(bench, pin, pcmFormat(rate, channels, 16)).close())).toBe('success');
      for (const [rate, count, bits] of [
        [7999, channels, 16],
        [48_001, channels, 16],
        [48_000, channels, 24],
        [48_000, channels, 8],
        [48_000, 3 - channels, 16],
      ] as const)
        expect(statusOf(() => open(bench, pin, pcmFormat(rate, count, bits)))).not.toBe('success');
    }
  });

  it('changes its format in STOP alone, and to what the codec takes', () => {
    using bench = new Ac97Bench({ flat: false });
    const pin = open(bench);
    const setFormat = (format: KSDATAFORMAT) => () =>
      pin.object.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, encodeDataFormat(format));
    pin.allocateBuffer(7680, 2);
    expect(statusOf(setFormat(CD_QUALITY(44_100)))).toBe('success');
    for (const state of [KSSTATE_ACQUIRE, KSSTATE_PAUSE, KSSTATE_RUN] as const) {
      setState(pin, state);
      expect(statusOf(setFormat(CD_QUALITY(22_050)))).toBe('STATUS_INVALID_PARAMETER');
    }
    setState(pin, KSSTATE_STOP);
    for (const wrong of [pcmFormat(96_000, 2, 16), pcmFormat(48_000, 1, 16), pcmFormat(48_000, 2, 24)])
      expect(statusOf(setFormat(wrong))).not.toBe('success');
    // What was refused has changed nothing: 44100 Hz is still what plays.
    setState(pin, KSSTATE_RUN);
    bench.pass(20);
    expect(bench.register(0x2c)).toBe(44_100);
  });

  it('gives buffers that are large enough and silent, once a stream, and refuses absurd ones', () => {
    using bench = new Ac97Bench({ flat: false });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300_000 }),
        fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        (bytes, notifications) => {
          const pin = open(bench);
          const { actualBufferSize, bufferAddress } = pin.allocateBuffer(bytes, notifications);
          expect(actualBufferSize).toBeGreaterThanOrEqual(bytes);
          expect(actualBufferSize % (4 * Math.max(1, notifications))).toBe(0);
          const content = new Uint8Array(actualBufferSize);
          bench.process.readMemory(bufferAddress, content);
          expect(content.every((byte) => byte === 0)).toBe(true);
          bench.process.writeMemory(bufferAddress, content.fill(0x5a));
          expect(statusOf(() => pin.allocateBuffer(bytes, notifications))).toBe(
            'STATUS_INVALID_DEVICE_STATE',
          );
          pin.close();
        },
      ),
      { numRuns: 40 },
    );
    const pin = open(bench);
    for (const bytes of [32 * 65_534 * 2 + 1, 0x7fff_ffff, 0xffff_ffff])
      expect(statusOf(() => pin.allocateBuffer(bytes, 2))).toBe('STATUS_INSUFFICIENT_RESOURCES');
    expect(statusOf(() => pin.allocateBuffer(0, 2))).toBe('STATUS_INVALID_PARAMETER');
    expect(statusOf(() => pin.allocateBuffer(7680, 2))).toBe('success');
  });

  it('needs a buffer to run, and may get it in any state before', () => {
    using bench = new Ac97Bench({ flat: false });
    for (const state of [KSSTATE_STOP, KSSTATE_ACQUIRE, KSSTATE_PAUSE] as const) {
      const pin = open(bench);
      setState(pin, state);
      expect(statusOf(() => setState(pin, KSSTATE_RUN))).toBe('STATUS_INVALID_DEVICE_STATE');
      pin.allocateBuffer(7680, 1);
      setState(pin, KSSTATE_RUN);
      bench.pass(100);
      expect(pin.packetCount()).toBe(2);
      setState(pin, KSSTATE_STOP);
      pin.close();
    }
  });
});

describe("packets of the AC'97 driver", () => {
  const PACKET_MS = 20;
  const BUFFER_BYTES = 2 * PACKET_MS * 48 * 4;
  const setPacket =
    (pin: RtPin, packetNumber: number, flags = 0, eosPacketLength = 0) =>
    () =>
      pin.object.control(
        encodeProperty(KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_SETWRITEPACKET, KSPROPERTY_TYPE_SET),
        KSRTAUDIO_SETWRITEPACKET_INFO.encode({ packetNumber, flags, eosPacketLength }),
      );
  const EOS = 0x200;

  it('are counted as they end, and taken in time only', () => {
    using bench = new Ac97Bench({ flat: false });
    const pin = open(bench);
    pin.allocateBuffer(BUFFER_BYTES, 2);
    // Before the start both packets may be filled, and no more.
    expect(statusOf(setPacket(pin, 0))).toBe('success');
    expect(statusOf(setPacket(pin, 1))).toBe('success');
    expect(statusOf(setPacket(pin, 2))).toBe('STATUS_DATA_OVERRUN');
    setState(pin, KSSTATE_RUN);
    for (let packet = 0; packet < 8; packet++) {
      bench.pass(packet === 0 ? PACKET_MS / 2 : PACKET_MS);
      expect(pin.packetCount()).toBe(packet);
      // The one that plays is too late, the next is right, the one after that too early.
      expect(statusOf(setPacket(pin, packet))).toBe('STATUS_DATA_LATE_ERROR');
      expect(statusOf(setPacket(pin, packet + 1))).toBe('success');
      expect(statusOf(setPacket(pin, packet + 2))).toBe('STATUS_DATA_OVERRUN');
    }
    expect(statusOf(setPacket(pin, 8, 0x1000))).toBe('STATUS_INVALID_PARAMETER');
    expect(statusOf(setPacket(pin, 8, EOS, BUFFER_BYTES))).toBe('STATUS_INVALID_PARAMETER');
    expect(statusOf(setPacket(pin, 8, EOS, 100))).toBe('success');
    expect(statusOf(setPacket(pin, 9))).toBe('STATUS_INVALID_DEVICE_STATE');
    setState(pin, KSSTATE_STOP);
    expect(pin.packetCount()).toBe(0);
    expect(statusOf(setPacket(pin, 0))).toBe('success');
  });

  it('need notifications', () => {
    using bench = new Ac97Bench({ flat: false });
    const pin = open(bench);
    expect(statusOf(setPacket(pin, 0))).toBe('STATUS_INVALID_DEVICE_STATE');
    pin.allocateBuffer(BUFFER_BYTES, 0);
    expect(statusOf(setPacket(pin, 0))).toBe('STATUS_INVALID_DEVICE_STATE');
  });

  it('behind the end of the stream are silence', () => {
    using bench = new Ac97Bench({ flat: false });
    const pin = open(bench);
    const { bufferAddress, actualBufferSize } = pin.allocateBuffer(BUFFER_BYTES, 2);
    const sound = noise(actualBufferSize / 2, 9);
    bench.process.writeMemory(bufferAddress, bytesOf(sound));
    expect(statusOf(setPacket(pin, 0, EOS, 400))).toBe('success');
    setState(pin, KSSTATE_RUN);
    bench.pass(PACKET_MS - 1);
    bench.card.catchUp();
    const heard = bench.lineOut.samples.filter((sample) => sample !== 0);
    expect(Buffer.from(bytesOf(heard)).equals(bytesOf(sound.subarray(0, 200)))).toBe(true);
  });

  it('signal each event once a packet, in RUN alone', () => {
    using bench = new Ac97Bench({ flat: false });
    const pin = open(bench);
    pin.allocateBuffer(BUFFER_BYTES, 2);
    const { process } = bench;
    const counts = [0, 0];
    const events = counts.map((_, index) => {
      const handle = process.createEvent('SynchronizationEvent');
      const wait = process.whenSignaled(handle, () => {
        counts[index] = (counts[index] ?? 0) + 1;
        wait.arm();
      });
      pin.registerEvent(handle);
      return handle;
    });
    expect(statusOf(() => pin.registerEvent(events[0] as number))).toBe('STATUS_INVALID_PARAMETER');
    bench.pass(100);
    expect(counts).toEqual([0, 0]);
    setState(pin, KSSTATE_RUN);
    bench.pass(10 * PACKET_MS + 5);
    expect(counts).toEqual([10, 10]);
    pin.unregisterEvent(events[1] as number);
    bench.pass(5 * PACKET_MS);
    expect(counts).toEqual([15, 10]);
    setState(pin, KSSTATE_PAUSE);
    bench.pass(100);
    expect(counts).toEqual([15, 10]);
  });

  it('that were recorded come in order, the oldest that is whole first; more data is said', () => {
    const source = new ArraySource(
      noise(2 * 48_000, 5),
      { sampleRate: 48_000, channels: 2 },
      { startTick: 0, loop: true },
    );
    using bench = new Ac97Bench({ flat: false, card: { lineIn: source } });
    const pin = open(bench, CAPTURE_PIN);
    pin.allocateBuffer(BUFFER_BYTES, 2);
    setState(pin, KSSTATE_RUN);
    expect(pin.readPacket()).toBeNull();
    let last = -1;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 130 }), (milliseconds) => {
        bench.pass(milliseconds);
        const packet = pin.readPacket();
        if (packet === null) return;
        expect(packet.packetNumber).toBeGreaterThan(last);
        expect(packet.moreData).toBe(false);
        last = packet.packetNumber;
        expect(pin.readPacket()).toBeNull();
      }),
      { numRuns: 50, endOnFailure: true },
    );
    expect(last).toBeGreaterThan(10);
  });
});

describe("power of the AC'97 driver", () => {
  const power = (bench: Ac97Bench, state: typeof PowerSystemSleeping3 | typeof PowerSystemWorking) =>
    bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(state));
  const presented = (pin: RtPin): number => {
    const answer = new Uint8Array(16);
    const request = encodeProperty(
      KSPROPSETID_RtAudio,
      KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
      KSPROPERTY_TYPE_GET,
    );
    pin.object.control(request, answer);
    return KSAUDIO_PRESENTATION_POSITION.decode(answer).u64PositionInBlocks;
  };

  it('a stream goes on where it was after sleep, at its rate, never backwards', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8000, 22_050, 44_100, 48_000),
        fc.integer({ min: 3, max: 500 }),
        fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        fc.array(fc.integer({ min: 0, max: 300 * TICKS_PER_MILLISECOND }), { minLength: 1, maxLength: 4 }),
        (rate, bufferMs, notifications, times) => {
          using bench = new Ac97Bench({ flat: false });
          const pin = open(bench, RENDER_PIN, CD_QUALITY(rate));
          pin.allocateBuffer(Math.ceil((rate * bufferMs) / 1000) * 4, notifications);
          setState(pin, KSSTATE_RUN);
          let last = 0;
          for (const ticks of times) {
            bench.machine.runFor(ticks);
            const before = presented(pin);
            expect(before).toBeGreaterThanOrEqual(last);
            power(bench, PowerSystemSleeping3);
            bench.pass(1000);
            expect(bench.card.position('PO').running).toBe(false);
            power(bench, PowerSystemWorking);
            const after = presented(pin);
            // To the frame, but for what the FIFO took in on waking.
            expect(after - before).toBeGreaterThanOrEqual(0);
            expect(after - before).toBeLessThanOrEqual(64);
            expect(bench.register(0x2c)).toBe(rate);
            bench.pass(50);
            const advance = presented(pin) - after;
            expect(Math.abs(advance - (rate * 50) / 1000)).toBeLessThanOrEqual(32);
            last = presented(pin);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each(['timer', 'event', 'packet'] as const)(
    'a client in %s mode plays on after sleep, and misses a FIFO of sound at most',
    (mode) => {
      using bench = new Ac97Bench({ flat: false });
      const samples = noise(2 * 48_000, 6);
      const source = new MemoryPcmReader(audioFormat(), bytesOf(samples));
      const stream = bench.audio.openRender(bench.audio.endpoint('render', 'Speakers'), {
        source,
        mode,
        bufferMs: 60,
      });
      stream.start();
      bench.pass(333.3);
      power(bench, PowerSystemSleeping3);
      power(bench, PowerSystemWorking);
      expect(bench.run(() => stream.ended)).toBe(true);
      expect(stream.error).toBeNull();
      stream.close();
      const heard = bench.lineOut.samples.filter((sample) => sample !== 0);
      // What the FIFO held when the power went is lost: 96 bytes. All before and all after is there.
      const lost = samples.length - heard.length;
      expect(lost).toBeGreaterThanOrEqual(0);
      expect(lost).toBeLessThanOrEqual(64);
      const start = samples.findIndex((_, at) => samples[at] !== heard[at]);
      const split = start < 0 ? heard.length : start;
      expect(
        Buffer.from(bytesOf(heard.subarray(split))).equals(bytesOf(samples.subarray(split + lost))),
      ).toBe(true);
    },
  );
});
