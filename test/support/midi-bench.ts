import { expect } from 'vitest';
import { MidiClient } from '../../src/client/index.ts';
import type { GUID } from '../../src/com/index.ts';
import type { BusTarget, IsaCard, IsaInterruptLine, IsaSlot } from '../../src/hal/bus.ts';
import type { IsaAssignment } from '../../src/hal/isa-arbiter.ts';
import { MemorySink } from '../../src/hardware/analog.ts';
import { MidiMemorySink, MidiMemorySource } from '../../src/hardware/midi-memory.ts';
import { Mpu401, type Mpu401Options } from '../../src/hardware/mpu401/index.ts';
import { type FmChip, Opl3 } from '../../src/hardware/opl3/index.ts';
import { type DriverPackage, formatLeakReport, type Trace } from '../../src/kernel/index.ts';
import { SimMachine } from '../../src/machines/sim/index.ts';
import {
  CLSID_MiniportDriverFmSynth,
  CLSID_MiniportDriverFmSynthWithVol,
  CLSID_MiniportDriverUart,
  CLSID_PortMidi,
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewMiniport,
  pcNewPort,
  pcNewResourceSublist,
  pcRegisterSubdevice,
} from '../../src/portcls/index.ts';

const MPU_PORT = 0x330;
const OPL_PORT = 0x388;
const IRQ = 9;

export interface MidiBenchOptions {
  readonly mpu?: Omit<Mpu401Options, 'midiOut' | 'midiIn'>;
  /** The MPU-401's interrupt is wired, and the driver has it. True unless told otherwise. */
  readonly interrupt?: boolean;
  readonly chip?: FmChip;
  /** In place of an OPL: something else at its ports. */
  readonly opl?: (chip: Opl3) => BusTarget;
  readonly withVolume?: boolean;
  /** The MPU-401, or the OPL, is not there, and the driver does not know it. */
  readonly missing?: 'mpu' | 'opl';
  /** More done when the device starts. */
  readonly trace?: Trace;
}

/** A card with an MPU-401 and an OPL, and nothing else. */
class MidiCard implements IsaCard {
  readonly name = 'MIDI card';
  readonly pnp = null;
  readonly mpu: Mpu401;
  readonly opl: Opl3;
  readonly #options: MidiBenchOptions;
  #line: IsaInterruptLine | null = null;

  constructor(options: MidiBenchOptions, mpu: Mpu401, opl: Opl3) {
    this.#options = options;
    this.mpu = mpu;
    this.opl = opl;
  }

  attach(slot: IsaSlot): void {
    const { clock, report } = slot;
    this.#line = slot.connectInterrupt(IRQ);
    const line = this.#line;
    const wired = this.#options.interrupt !== false;
    this.mpu.attach({
      clock,
      report,
      interrupt: { setLevel: (asserted) => wired && line.setLevel(asserted) },
    });
    this.opl.attach({ clock, report, interrupt: { setLevel: () => {} } });
    const { missing, opl } = this.#options;
    if (missing !== 'mpu') slot.mapPorts('MPU-401', MPU_PORT, 2, this.mpu);
    if (missing !== 'opl') slot.mapPorts('OPL', OPL_PORT, 4, opl?.(this.opl) ?? this.opl);
  }

  reset(): void {
    this.mpu.reset();
  }

  detach(): void {
    this.mpu.detach();
    this.opl.detach();
  }
}

/** An adapter driver that hands each function of the card to a miniport of PortCls's. */
function adapter(options: MidiBenchOptions): DriverPackage {
  return {
    name: 'midicard',
    hardwareIds: ['*MIDI0001'],
    driverEntry: (driverObject, registryPath) =>
      pcInitializeAdapterDriver(driverObject, registryPath, (driver, pdo) =>
        pcAddAdapterDevice(
          driver,
          pdo,
          (deviceObject, irp, list) => {
            const install = (
              name: string,
              miniportClass: GUID,
              entries: readonly (readonly ['Port' | 'Interrupt', number])[],
            ) => {
              using resources = pcNewResourceSublist(list, entries.length);
              for (const [type, index] of entries) resources.addEntryFromParent(list, type, index);
              using port = pcNewPort(CLSID_PortMidi);
              using miniport = pcNewMiniport(miniportClass);
              port.init(deviceObject, irp, miniport, null, resources);
              pcRegisterSubdevice(deviceObject, name, port);
            };
            const interrupt = options.interrupt === false ? [] : [['Interrupt', 0] as const];
            install('UART', CLSID_MiniportDriverUart, [['Port', 0], ...interrupt]);
            install(
              'FMSynth',
              options.withVolume === true ? CLSID_MiniportDriverFmSynthWithVol : CLSID_MiniportDriverFmSynth,
              [['Port', 1]],
            );
          },
          2,
          0,
        ),
      ),
  };
}

const RESOURCES: readonly IsaAssignment[] = [
  { type: 'Port', start: MPU_PORT, length: 2 },
  { type: 'Port', start: OPL_PORT, length: 4 },
  { type: 'Interrupt', line: IRQ },
];

/** A PC with that card and its driver, started, and an application. On disposal nothing may be left behind. */
export class MidiBench implements Disposable {
  readonly machine: SimMachine;
  readonly midiOut = new MidiMemorySink();
  readonly midiIn = new MidiMemorySource();
  readonly sound = new MemorySink();
  readonly mpu: Mpu401;
  readonly opl: Opl3;
  readonly midi: MidiClient;
  readonly slot: string;

  constructor(options: MidiBenchOptions = {}) {
    this.machine = new SimMachine({
      ...(options.trace === undefined ? {} : { trace: options.trace }),
      isa: {
        legacyDevices: [
          {
            busDevice: 'isa:midi',
            hardwareIds: ['*MIDI0001'],
            description: 'MIDI card',
            resources: RESOURCES,
          },
        ],
      },
    });
    this.mpu = new Mpu401({ ...options.mpu, midiOut: this.midiOut, midiIn: this.midiIn });
    this.opl = new Opl3({ chip: options.chip ?? 'YMF262', output: this.sound });
    this.slot = this.machine.plugIsa(new MidiCard(options, this.mpu, this.opl));
    this.machine.installDriver(adapter(options));
    this.machine.start();
    this.midi = new MidiClient(this.machine.kernel);
  }

  get now(): number {
    return this.machine.kernel.clock.now;
  }

  pass(milliseconds: number): void {
    this.machine.runFor(Math.round(milliseconds * 10_000));
  }

  run(done: () => boolean, seconds = 60): boolean {
    return this.machine.runUntil(done, this.now + seconds * 10_000_000);
  }

  findings(): string[] {
    return this.machine.trace.findings.map((finding) => `${finding.source}: ${finding.text}`);
  }

  /** What the synthesizer put out up to now, one side. */
  samples(side: 0 | 1 = 0): Float64Array {
    this.opl.catchUp();
    const both = this.sound.samples;
    return Float64Array.from(
      { length: both.length / 2 },
      (_, frame) => (both[2 * frame + side] ?? 0) / 32_768,
    );
  }

  end(): string {
    this.midi.close();
    return formatLeakReport(this.machine.dispose());
  }

  [Symbol.dispose](): void {
    const leaks = this.end();
    if (this.machine.kernel.stopped === null) expect(leaks).toBe('');
  }
}

/** Amplitude of a sine of this frequency in samples (Goertzel, Hann window). */
export function amplitudeAt(
  samples: Float64Array,
  frequencyHz: number,
  sampleRate = 14_318_180 / 288,
): number {
  let re = 0;
  let im = 0;
  let weight = 0;
  for (const [index, sample] of samples.entries()) {
    const window = 1 - Math.cos((2 * Math.PI * (index + 0.5)) / samples.length);
    const angle = (2 * Math.PI * frequencyHz * index) / sampleRate;
    re += window * sample * Math.cos(angle);
    im += window * sample * Math.sin(angle);
    weight += window;
  }
  return (2 * Math.hypot(re, im)) / weight;
}

/** Root mean square. */
export function loudness(samples: Float64Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));
}
