import { describe, expect, it } from 'vitest';
import {
  FILE_OBJECT,
  type IO_STATUS_BLOCK,
  ioBuildDeviceIoControlRequest,
  ioCallDriver,
  ioGetAttachedDevice,
  ioGetNextIrpStackLocation,
  KEVENT,
  type MDL,
  mmAllocatePagesForMdl,
  mmFreePagesFromMdl,
  mmGetSystemAddressForMdlSafe,
  mmUnmapLockedPages,
  obDereferenceObject,
  STATUS_INVALID_PARAMETER,
  STATUS_PENDING,
  STATUS_SUCCESS,
} from '../../../kernel/index.ts';
import {
  encodeDataFormat,
  encodeStreamHeaders,
  IOCTL_KS_WRITE_STREAM,
  type KSDATAFORMAT,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPSETID_Connection,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE,
  KSSTREAM_HEADER_OPTIONSF_TYPECHANGED,
  ksGetProperty,
  pcmFormat,
  streamHeader,
} from '../../../ks/index.ts';
import { CyclicScript } from './test-card.ts';
import { CyclicMachine, type CyclicPinClient, same, sound } from './test-client.ts';

/** Bytes of a millisecond of 48 kHz, 16 bits, stereo. */
const MS = 192;
const HALF_RATE = pcmFormat(24_000, 2, 16);
const MONO_8_BIT = pcmFormat(22_050, 1, 8);

function open(script = new CyclicScript()) {
  const machine = new CyclicMachine(script);
  const pin = machine.openPin(0);
  pin.setState(KSSTATE_PAUSE);
  return { machine, pin, script };
}

function end(machine: CyclicMachine): void {
  expect(machine.findings).toEqual([]);
  expect(machine.end()).toEqual([]);
}

const announce = (pin: CyclicPinClient, format: KSDATAFORMAT) =>
  pin.write(encodeDataFormat(format), KSSTREAM_HEADER_OPTIONSF_TYPECHANGED);

const formatOf = (machine: CyclicMachine, pin: CyclicPinClient) =>
  ksGetProperty(machine.client, pin.handle, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT);

/** Where a run of bytes begins in others, −1 when it does not. */
function find(bytes: Uint8Array, run: Uint8Array): number {
  for (let at = bytes.indexOf(run[0] ?? 0); at >= 0; at = bytes.indexOf(run[0] ?? 0, at + 1))
    if (same(bytes.subarray(at, at + run.length), run)) return at;
  return -1;
}

describe('a new format in the stream (TYPECHANGED)', () => {
  it.each([
    ['half the rate', HALF_RATE],
    ['8 bits mono', MONO_8_BIT],
  ])(
    'is set when all data before it have been played, and those behind it are played in it: %s',
    (_, format) => {
      const { machine, pin, script } = open();
      const before = sound(55 * MS);
      const behind = sound(3000).reverse();
      pin.write(before);
      const change = announce(pin, format);
      const last = pin.write(behind);
      pin.setState(KSSTATE_RUN);
      machine.runMs(50);
      expect(change.statusName).toBe('pending');
      expect(script.calls).not.toContain('SetFormat');
      machine.runMs(300);
      expect([change.statusName, last.statusName]).toEqual(['STATUS_SUCCESS', 'STATUS_SUCCESS']);
      expect(script.calls.filter((call) => call === 'SetFormat')).toHaveLength(1);
      expect(formatOf(machine, pin)).toEqual(encodeDataFormat(format));
      const played = pin.stream.played.bytes;
      expect(same(played.subarray(0, before.length), before)).toBe(true);
      expect(find(played, behind)).toBeGreaterThanOrEqual(before.length);
      const total = before.length + behind.length;
      expect(pin.position()).toEqual({ playOffset: total, writeOffset: total });
      end(machine);
    },
  );

  it('is set at once when nothing is to be played before it', () => {
    const { machine, pin, script } = open();
    expect(announce(pin, HALF_RATE).statusName).toBe('STATUS_SUCCESS');
    expect(script.calls.slice(-2)).toEqual(['SetFormat', 'SetNotificationFreq(10)']);
    const bytes = sound(5000);
    pin.write(bytes);
    pin.setState(KSSTATE_RUN);
    machine.runMs(200);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    // A stream that starves takes it at once, too.
    expect(announce(pin, MONO_8_BIT).statusName).toBe('STATUS_SUCCESS');
    end(machine);
  });

  it('that the miniport refuses gives its status, and the stream goes on as it was', () => {
    const { machine, pin, script } = open();
    script.refusesFormatInRun = true;
    const bytes = sound(20 * MS);
    pin.write(bytes);
    const change = announce(pin, HALF_RATE);
    const behind = pin.write(bytes);
    pin.setState(KSSTATE_RUN);
    machine.runMs(100);
    expect([change.statusName, behind.statusName]).toEqual(['STATUS_INVALID_PARAMETER', 'STATUS_SUCCESS']);
    expect(formatOf(machine, pin)).toEqual(encodeDataFormat(pcmFormat(48_000, 2, 16)));
    end(machine);
  });

  it('is a header of its own, of a write, with a format behind it', () => {
    const { machine, pin } = open();
    const flags = KSSTREAM_HEADER_OPTIONSF_TYPECHANGED;
    expect(pin.write(sound(10), flags).statusName).toBe('STATUS_BUFFER_TOO_SMALL');
    expect(pin.write(new Uint8Array(0), flags).statusName).toBe('STATUS_BUFFER_TOO_SMALL');
    const format = encodeDataFormat(HALF_RATE);
    expect(pin.writeAll([{ bytes: format, flags }, { bytes: sound(4) }]).statusName).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    const capture = machine.openPin(1);
    capture.setState(KSSTATE_PAUSE);
    expect(capture.read(1000, 0, flags).statusName).toBe('STATUS_INVALID_PARAMETER');
    end(machine);
  });

  it('that still waits at STOP is cancelled, and may be cancelled by its client', () => {
    const { machine, pin, script } = open();
    pin.write(sound(100 * MS));
    const first = announce(pin, HALF_RATE);
    const second = announce(pin, HALF_RATE);
    second.request?.cancel();
    machine.runMs(0);
    expect(second.statusName).toBe('STATUS_CANCELLED');
    pin.setState(KSSTATE_STOP);
    expect(first.statusName).toBe('STATUS_CANCELLED');
    expect(script.calls).not.toContain('SetFormat');
    end(machine);
  });

  it('whose pin is closed or whose card is pulled in between leaves nothing', () => {
    for (const pulled of [false, true]) {
      const { machine, pin } = open();
      pin.write(sound(20 * MS));
      announce(pin, HALF_RATE);
      pin.setState(KSSTATE_RUN);
      machine.runMs(19);
      if (pulled) machine.unplug();
      else pin.close();
      machine.runMs(50);
      end(machine);
    }
  });
});

describe('a format that is set on a paused stream', () => {
  it('replaces what was in the buffer by silence', () => {
    const { machine, pin } = open();
    const first = sound(100 * MS);
    pin.write(first);
    pin.setState(KSSTATE_RUN);
    machine.runMs(10);
    pin.setState(KSSTATE_PAUSE);
    pin.setFormat(HALF_RATE);
    const before = pin.stream.played.bytes.length;
    pin.setState(KSSTATE_RUN);
    machine.runMs(100);
    // What had been taken into the buffer was for the old format; the rest of the request goes on in the new one.
    const played = pin.stream.played.bytes.subarray(before);
    expect(same(played.subarray(0, 1000), first.subarray(50 * MS, 50 * MS + 1000))).toBe(true);
    end(machine);
  });
});

describe('buffers that are worth nothing behind a pause (FLUSHONPAUSE)', () => {
  it('are done with at the pause, and what of them is in the device becomes silence', () => {
    const { machine, pin } = open();
    const live = sound(30 * MS, 1);
    const packets = [0, 1, 2].map(() => pin.write(live, KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE));
    const kept = sound(10 * MS, 99);
    const last = pin.write(kept);
    pin.setState(KSSTATE_RUN);
    machine.runMs(10);
    pin.setState(KSSTATE_PAUSE);
    expect(packets.map(({ statusName }) => statusName)).toEqual(new Array(3).fill('STATUS_SUCCESS'));
    // 50 ms had been taken: the first and two thirds of the second.
    expect(packets.map(({ information }) => information / MS)).toEqual([30, 20, 0]);
    expect(last.statusName).toBe('pending');
    pin.setState(KSSTATE_RUN);
    machine.runMs(100);
    const played = pin.stream.played.bytes;
    expect(same(played.subarray(0, 10 * MS), live.subarray(0, 10 * MS))).toBe(true);
    expect(same(played.subarray(10 * MS, 20 * MS), kept)).toBe(true);
    expect(played.subarray(20 * MS).every((byte) => byte === 0)).toBe(true);
    const { playOffset, writeOffset } = pin.position();
    expect([playOffset / MS, writeOffset / MS]).toEqual([60, 60]);
    end(machine);
  });
});

describe('a client in the kernel', () => {
  /** Sends a write as a driver does: no process, and each buffer described by an MDL. */
  function writeFromKernel(
    machine: CyclicMachine,
    pin: CyclicPinClient,
    pieces: readonly Uint8Array[],
    describe: (mdls: readonly MDL[]) => MDL | null = ([first]) => first ?? null,
  ) {
    return machine.kernel.enter(() => {
      const file = machine.client.referenceObjectByHandle(pin.handle, FILE_OBJECT);
      const mdls = pieces.map((bytes) => {
        const mdl = mmAllocatePagesForMdl(0, 0xffff_ffff, 0, bytes.byteLength);
        if (mdl === null) throw new Error('no memory');
        mmGetSystemAddressForMdlSafe(mdl).write(0, bytes);
        return mdl;
      });
      for (const [index, mdl] of mdls.entries()) mdl.next = mdls[index + 1] ?? null;
      const headers = encodeStreamHeaders(
        pieces.map(({ byteLength }) => streamHeader({ frameExtent: byteLength, dataUsed: byteLength })),
      );
      const device = ioGetAttachedDevice(file.deviceObject);
      const done = new KEVENT('NotificationEvent', false);
      const iosb: IO_STATUS_BLOCK = { status: STATUS_PENDING, information: 0, informationPointer: null };
      const irp = ioBuildDeviceIoControlRequest(
        IOCTL_KS_WRITE_STREAM,
        device,
        null,
        headers,
        false,
        done,
        iosb,
      );
      irp.mdlAddress = describe(mdls);
      ioGetNextIrpStackLocation(irp).fileObject = file;
      ioCallDriver(device, irp);
      const free = () =>
        machine.kernel.enter(() => {
          obDereferenceObject(file);
          for (const mdl of mdls) {
            mmUnmapLockedPages(mmGetSystemAddressForMdlSafe(mdl), mdl);
            mmFreePagesFromMdl(mdl);
          }
        });
      return { iosb, free };
    });
  }

  it('streams from memory that its MDLs describe, one for each buffer', () => {
    const { machine, pin } = open();
    const pieces = [sound(5000), sound(10 * MS, 3)];
    const { iosb, free } = writeFromKernel(machine, pin, pieces);
    pin.setState(KSSTATE_RUN);
    machine.runMs(100);
    expect(iosb).toMatchObject({ status: STATUS_SUCCESS, information: 5000 + 10 * MS });
    const played = pin.stream.played.bytes;
    expect(same(played.subarray(0, 5000), pieces[0] as Uint8Array)).toBe(true);
    expect(same(played.subarray(5000, 5000 + 10 * MS), pieces[1] as Uint8Array)).toBe(true);
    free();
    end(machine);
  });

  it.each([
    ['no MDL', () => null],
    [
      'one for two buffers',
      ([first]: readonly MDL[]) => {
        if (first !== undefined) first.next = null;
        return first ?? null;
      },
    ],
  ])('that gives %s is refused', (_, describe) => {
    const { machine, pin } = open();
    const { iosb, free } = writeFromKernel(machine, pin, [sound(100), sound(100)], describe);
    expect(iosb.status).toBe(STATUS_INVALID_PARAMETER);
    free();
    end(machine);
  });
});
