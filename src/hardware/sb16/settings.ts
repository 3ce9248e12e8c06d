/** What the card answers to: by jumpers, by the mixer's setup registers, or by Plug and Play. */
import type { IsaPnpConfiguration } from '../isapnp/index.ts';
import { interruptSetupOf } from './mixer.ts';
import { SB16_BASES, SB16_DMA, SB16_FM_BASES, SB16_IO, SB16_MPU_BASES } from './pnp-description.ts';
import { DMA_SETUP_8_BIT, DMA_SETUP_16_BIT, INTERRUPT_SETUP_LINES } from './registers.ts';

/** Where a card without Plug and Play is, by its jumpers and by its mixer's setup registers after power-on. */
export interface Sb16JumperSettings {
  readonly base?: number;
  /** Null: the MPU-401 is switched off. */
  readonly mpuBase?: number | null;
  readonly irq?: number;
  readonly dma8?: number;
  readonly dma16?: number | null;
}

/** Ports, line and channels of everything but the game port; null for what is not configured. */
export interface Sb16Settings {
  readonly base: number | null;
  readonly mpuBase: number | null;
  readonly fmBase: number | null;
  readonly irq: number | null;
  readonly dma8: number | null;
  readonly dma16: number | null;
}

/** A card that answers nowhere. */
export const NO_SETTINGS: Sb16Settings = {
  base: null,
  mpuBase: null,
  fmBase: null,
  irq: null,
  dma8: null,
  dma16: null,
};

/** Jumpers where they are at delivery, unless given. */
export function jumperSettings(jumpers: Sb16JumperSettings): Sb16Settings {
  return {
    base: jumpers.base ?? 0x220,
    mpuBase: jumpers.mpuBase === undefined ? 0x330 : jumpers.mpuBase,
    fmBase: 0x388,
    irq: jumpers.irq ?? 5,
    dma8: jumpers.dma8 ?? 1,
    dma16: jumpers.dma16 === undefined ? 5 : jumpers.dma16,
  };
}

/** What the audio device was told. `refuse` hears of ports that the card cannot decode: it then has none. */
export function plugAndPlaySettings(
  { active, ioBases, irqs, dmas }: IsaPnpConfiguration,
  refuse: (what: string, base: number) => void,
): Sb16Settings {
  if (!active) return NO_SETTINGS;
  const port = (index: number, bases: readonly number[], what: string) =>
    decodable(ioBases[index] ?? 0, bases, (base) => refuse(what, base));
  const channel = (index: number, channels: readonly number[]) => {
    const wanted = dmas[index] ?? null;
    return wanted !== null && channels.includes(wanted) ? wanted : null;
  };
  const irq = irqs[0] ?? 0;
  return {
    base: port(SB16_IO.base, SB16_BASES, 'audio'),
    mpuBase: port(SB16_IO.mpu, SB16_MPU_BASES, 'MPU-401'),
    fmBase: port(SB16_IO.fm, SB16_FM_BASES, 'FM'),
    irq: irq === 0 ? null : irq,
    dma8: channel(SB16_DMA.channel8, DMA_SETUP_8_BIT),
    dma16: channel(SB16_DMA.channel16, DMA_SETUP_16_BIT),
  };
}

/** The base if it is one of those that the card has comparators for; 0 stands for none. */
export function decodable(
  base: number,
  bases: readonly number[],
  refuse: (base: number) => void,
): number | null {
  if (base === 0) return null;
  if (bases.includes(base)) return base;
  refuse(base);
  return null;
}

/** The value of register 81h. */
export function dmaSetupOf({ dma8, dma16 }: Sb16Settings): number {
  return (dma8 === null ? 0 : 1 << dma8) | (dma16 === null ? 0 : 1 << dma16);
}

/** The value of register 80h. */
export function interruptSetup({ irq }: Sb16Settings): number {
  return interruptSetupOf(irq);
}

/** Settings after a write to 80h: the lowest line that is named. */
export function withInterruptSetup(settings: Sb16Settings, value: number): Sb16Settings {
  const named = INTERRUPT_SETUP_LINES.find(([bit]) => (value & bit) !== 0);
  return { ...settings, irq: named?.[1] ?? null };
}

/** Settings after a write to 81h: the lowest channel of each width that is named. */
export function withDmaSetup(settings: Sb16Settings, value: number): Sb16Settings {
  const named = (channels: readonly number[]) =>
    channels.find((channel) => ((value >> channel) & 1) !== 0) ?? null;
  return { ...settings, dma8: named(DMA_SETUP_8_BIT), dma16: named(DMA_SETUP_16_BIT) };
}
