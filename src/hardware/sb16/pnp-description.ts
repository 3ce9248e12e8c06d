import {
  ISAPNP_PRIORITY_ACCEPTABLE,
  ISAPNP_PRIORITY_GOOD,
  ISAPNP_PRIORITY_SUBOPTIMAL,
} from '../../hal/isapnp-registers.ts';
import type { IsaPnpCardDescription, IsaPnpResource } from '../../hal/isapnp-resources.ts';
import {
  DMA_SETUP_8_BIT,
  DMA_SETUP_16_BIT,
  SB_FM_PORTS,
  SB_GAME_PORTS,
  SB_MPU_PORTS,
  SB_PORTS,
} from './registers.ts';

/** Numbers of the card's logical devices. */
export const SB16_LOGICAL_AUDIO = 0;
export const SB16_LOGICAL_GAME = 1;
/** Order of the I/O ranges and DMA channels in the audio device's configuration. */
export const SB16_IO = { base: 0, mpu: 1, fm: 2 } as const;
export const SB16_DMA = { channel8: 0, channel16: 1 } as const;

/** Bases that the card can decode. */
export const SB16_BASES: readonly number[] = [0x220, 0x240, 0x260, 0x280];
export const SB16_MPU_BASES: readonly number[] = [0x300, 0x330];
export const SB16_FM_BASES: readonly number[] = [0x388];
export const SB16_GAME_BASES: readonly number[] = [0x200, 0x208];

function io(minimum: number, maximum: number, alignment: number, length: number): IsaPnpResource {
  return { type: 'io', minimum, maximum, alignment: minimum === maximum ? 1 : alignment, length };
}

/** The windows come last, so that an alternative may do without FM, or without MPU-401 and FM. */
function audio(
  irqs: readonly number[],
  channels8: readonly number[],
  channels16: readonly number[],
  ...windows: readonly IsaPnpResource[]
): readonly IsaPnpResource[] {
  return [
    { type: 'irq', lines: irqs },
    { type: 'dma', channels: channels8, width: 8 },
    { type: 'dma', channels: channels16, width: 16 },
    ...windows,
  ];
}

const ANY_IRQ: readonly number[] = [5, 7, 9, 10];
const BASE = io(0x220, 0x280, 0x20, SB_PORTS);
const MPU = io(0x300, 0x330, 0x30, SB_MPU_PORTS);
const FM = io(0x388, 0x388, 1, SB_FM_PORTS);

/**
 * The resource data of a Sound Blaster 16 PnP as its cards list them: one logical device for audio, MPU-401 and FM (CTL0031), one for the
 * game port (CTL7001). What they prefer are the settings that programs for DOS look for.
 */
export function sb16PnpDescription(serialNumber: number): IsaPnpCardDescription {
  return {
    id: 'CTL0028',
    serialNumber,
    name: 'Creative SB16 PnP',
    devices: [
      {
        id: 'CTL0031',
        compatibleIds: ['PNPB003'],
        name: 'Audio',
        resources: [],
        alternatives: [
          {
            priority: ISAPNP_PRIORITY_GOOD,
            resources: audio(
              [5],
              [1],
              [5],
              io(0x220, 0x220, 1, SB_PORTS),
              io(0x330, 0x330, 1, SB_MPU_PORTS),
              FM,
            ),
          },
          {
            priority: ISAPNP_PRIORITY_ACCEPTABLE,
            resources: audio(ANY_IRQ, DMA_SETUP_8_BIT, DMA_SETUP_16_BIT, BASE, MPU, FM),
          },
          {
            priority: ISAPNP_PRIORITY_SUBOPTIMAL,
            resources: audio(ANY_IRQ, DMA_SETUP_8_BIT, DMA_SETUP_16_BIT, BASE, MPU),
          },
          {
            priority: ISAPNP_PRIORITY_SUBOPTIMAL,
            resources: audio(ANY_IRQ, DMA_SETUP_8_BIT, DMA_SETUP_16_BIT, BASE),
          },
        ],
      },
      {
        id: 'CTL7001',
        compatibleIds: ['PNPB02F'],
        name: 'Game',
        resources: [],
        alternatives: [
          {
            priority: ISAPNP_PRIORITY_GOOD,
            resources: [io(0x200, 0x200, 1, SB_GAME_PORTS)],
          },
          {
            priority: ISAPNP_PRIORITY_ACCEPTABLE,
            resources: [io(0x200, 0x208, 8, SB_GAME_PORTS)],
          },
        ],
      },
    ],
  };
}
