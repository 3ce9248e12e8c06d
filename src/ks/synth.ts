import { guid } from '../com/index.ts';
import { Layout, long, ulong } from './layout.ts';

/**
 * Properties of synthesizer nodes (dmusprop.h). The value is that of GUID_DMUS_PROP_Volume, the user-mode name of the set's item 0;
 * no page and no public header at hand states it under this name.
 */
export const KSPROPSETID_Synth = guid('{FEDFAE25-E46E-11D1-AACE-0000F875AC12}');
export const KSPROPERTY_SYNTH_RUNNINGSTATS = 6;

/** SYNTH_STATS.validStats: which members count. */
export const SYNTH_STATS_VOICES = 1 << 0;
export const SYNTH_STATS_TOTAL_CPU = 1 << 1;
export const SYNTH_STATS_CPU_PER_VOICE = 1 << 2;
export const SYNTH_STATS_LOST_NOTES = 1 << 3;
export const SYNTH_STATS_PEAK_VOLUME = 1 << 4;
export const SYNTH_STATS_FREE_MEMORY = 1 << 5;

/** What a synthesizer tells of its work (DDI page SYNTH_STATS). */
export interface SYNTH_STATS {
  /** SYNTH_STATS_* */
  readonly validStats: number;
  /** Voices that sound. */
  readonly voices: number;
  /** Per cent × 100. */
  readonly totalCPU: number;
  readonly cpuPerVoice: number;
  /** Notes that ended early or never began, for want of a voice. */
  readonly lostNotes: number;
  readonly freeMemory: number;
  /** Decibels × 100. */
  readonly peakVolume: number;
}
export const SYNTH_STATS = new Layout<SYNTH_STATS>('SYNTH_STATS', {
  validStats: ulong,
  voices: ulong,
  totalCPU: ulong,
  cpuPerVoice: ulong,
  lostNotes: ulong,
  freeMemory: ulong,
  peakVolume: long,
});
