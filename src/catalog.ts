import { install as ac97Driver } from './adapters/ac97/index.ts';
import { install as adlibDriver } from './adapters/adlib/index.ts';
import { install as es1370Driver } from './adapters/es1370/index.ts';
import { install as sb16Driver } from './adapters/sb16/index.ts';
import { type CatalogCard, plugPci, wired, withFixedJacks } from './catalog/card.ts';
import { HDA_CARD } from './catalog/hda.ts';
import type { IsaLegacyDevice } from './hal/index.ts';
import { Ac97Card } from './hardware/ac97/index.ts';
import { ADLIB_PORT, ADLIB_PORTS, AdlibCard } from './hardware/adlib/index.ts';
import { Es1370Card } from './hardware/es1370/index.ts';
import { Sb16Card } from './hardware/sb16/index.ts';
import type { SimMachine } from './machines/sim/index.ts';

export {
  type CardChoice,
  type CardChoices,
  type CardGraph,
  type CardJack,
  type CardOption,
  type CardOutput,
  type CardWiring,
  type CatalogCard,
  cardChoices,
  chooseCard,
  type PciPlace,
  type PluggedCard,
  type QemuCard,
  qemuDeviceArguments,
} from './catalog/card.ts';

const SERIAL_NUMBERS = new WeakMap<SimMachine, number>();

/** Plug and Play cards of one machine must differ, or they answer as one. */
function nextSerialNumber(machine: SimMachine): number {
  const next = (SERIAL_NUMBERS.get(machine) ?? 0) + 1;
  SERIAL_NUMBERS.set(machine, next);
  return next;
}

/** The AdLib card has no Plug and Play, and its ports are fixed. */
const ADLIB_DEVICE: IsaLegacyDevice = {
  busDevice: 'isa:adlib',
  hardwareIds: ['*PNPB020'],
  description: 'AdLib Music Synthesizer Card',
  resources: [{ type: 'Port', start: ADLIB_PORT, length: ADLIB_PORTS }],
};

/** All cards, in the order in which they are listed. */
export const CARDS: readonly CatalogCard[] = [
  {
    name: 'ac97',
    title: "Intel 82801AA (ICH) AC'97 audio controller with an AC'97 2.3 codec",
    bus: 'PCI',
    hardwareId: 'PCI\\VEN_8086&DEV_2415',
    qemu: {
      device: 'AC97',
      // QEMU scales PCM out (18h) by 1 − code ÷ 31: its unity is code 0, which the specification calls +12 dB. Its record gain
      // grows from silence with the code: code 15, +22.5 dB, is unity.
      unity: ['Wave Volume=12', 'Wave In Volume=22.5'],
    },
    ports: ['WaveRT', 'Topology'],
    driver: ac97Driver,
    plug: (machine, { output, lineIn, micIn }, place) =>
      withFixedJacks(plugPci(machine, new Ac97Card(wired({ lineOut: output, lineIn, micIn })), place)),
  },
  {
    name: 'es1370',
    title: 'Ensoniq AudioPCI: ES1370 with an AK4531 mixer codec',
    bus: 'PCI',
    hardwareId: 'PCI\\VEN_1274&DEV_5000',
    // QEMU's card has no mixer at all: samples pass as they are.
    qemu: { device: 'ES1370', unity: [] },
    ports: ['WavePci', 'Topology', 'MIDI'],
    driver: es1370Driver,
    plug: (machine, { output, lineIn, micIn, midiOut, midiIn }, place) =>
      withFixedJacks(
        plugPci(machine, new Es1370Card(wired({ lineOut: output, lineIn, micIn, midiOut, midiIn })), place),
      ),
  },
  {
    name: 'sb16',
    title: 'Creative Sound Blaster 16: DSP 4.xx, CT1745 mixer, OPL3, MPU-401',
    bus: 'ISA',
    hardwareId: 'ISAPNP\\CTL0031',
    qemu: {
      device: 'sb16',
      unity: [],
      legacyDevice: {
        busDevice: 'isa:sb16',
        hardwareIds: ['*PNPB003'],
        description: "QEMU's Sound Blaster 16 at its default resources",
        resources: [
          { type: 'Port', start: 0x220, length: 16 },
          { type: 'Interrupt', line: 5 },
          { type: 'Dma', channel: 1 },
          { type: 'Dma', channel: 5 },
        ],
      },
    },
    ports: ['WaveCyclic', 'Topology', 'MIDI'],
    driver: sb16Driver,
    plug: (machine, { output, lineIn, micIn, midiOut, midiIn }) =>
      withFixedJacks(
        machine.plugIsa(
          new Sb16Card({
            ...wired({ lineOut: output, lineIn, micIn, midiOut, midiIn }),
            serialNumber: nextSerialNumber(machine),
          }),
        ),
      ),
  },
  {
    name: 'adlib',
    title: 'AdLib Music Synthesizer Card: OPL2 (YM3812)',
    bus: 'ISA',
    hardwareId: '*PNPB020',
    qemu: { device: 'adlib', unity: [], legacyDevice: ADLIB_DEVICE },
    ports: ['MIDI'],
    driver: adlibDriver,
    plug: (machine, { output }) =>
      withFixedJacks(machine.plugIsa(new AdlibCard(wired({ output })), ADLIB_DEVICE)),
  },
  HDA_CARD,
];

/** The card of that name, in any case; undefined when there is none. */
export function findCard(name: string): CatalogCard | undefined {
  return CARDS.find((card) => card.name === name.toLowerCase());
}
