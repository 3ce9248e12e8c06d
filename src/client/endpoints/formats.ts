import type { KSDATAFORMAT_WAVEFORMATEX } from '../../ks/index.ts';
import { defaultChannelMask, floatFormat, pcmFormat } from '../../ks/index.ts';
import type { AudioFormat } from '../audio-format.ts';
import { audioFormat, frameBytes, sameFormat } from '../audio-format.ts';
import type { DataRangeModel } from '../inspect/model.ts';

/** Rates that devices are usually made for. */
const USUAL_RATES = [
  8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200, 96000, 176400, 192000, 384000,
];
const CONTAINER_BITS = [8, 16, 24, 32];
/** More candidates than this are not tried: a driver that refuses so many is not going to take the next. */
const MAXIMUM_CANDIDATES = 48;

/** The KS form of a format; `extensible` forces (or forbids) WAVEFORMATEXTENSIBLE. */
export function ksFormatOf(format: AudioFormat, extensible?: boolean): KSDATAFORMAT_WAVEFORMATEX {
  const mask = format.channelMask;
  const usual = mask === 0 || mask === defaultChannelMask(format.channels);
  const options = {
    ...(format.validBits === format.containerBits ? {} : { validBits: format.validBits }),
    ...(usual ? {} : { channelMask: mask }),
    ...(extensible === undefined ? {} : { extensible }),
  };
  return format.encoding === 'float'
    ? floatFormat(format.sampleRate, format.channels, format.containerBits, options)
    : pcmFormat(format.sampleRate, format.channels, format.containerBits, options);
}

/** Both ways to say a format, the usual one first; a plain WAVEFORMATEX only where it says everything. */
export function ksFormsOf(format: AudioFormat): KSDATAFORMAT_WAVEFORMATEX[] {
  const usual = ksFormatOf(format);
  const isPlain = usual.waveFormatEx.cbSize === 0;
  const plainPossible = format.validBits === format.containerBits && format.channels <= 2;
  if (isPlain) return [usual, ksFormatOf(format, true)];
  return plainPossible ? [usual, ksFormatOf(format, false)] : [usual];
}

type WaveRange = NonNullable<DataRangeModel['audio']> & { readonly encoding: AudioFormat['encoding'] };

/** Ranges of wave audio that a client here can feed; the copies for DirectSound say nothing new. */
function waveRanges(ranges: readonly DataRangeModel[]): WaveRange[] {
  const found: WaveRange[] = [];
  for (const { audio, subFormat, specifier } of ranges) {
    if (audio === null || specifier === 'KSDATAFORMAT_SPECIFIER_DSOUND') continue;
    if (subFormat === 'KSDATAFORMAT_SUBTYPE_PCM') found.push({ ...audio, encoding: 'integer' });
    if (subFormat === 'KSDATAFORMAT_SUBTYPE_IEEE_FLOAT') found.push({ ...audio, encoding: 'float' });
  }
  return found;
}

/** Does a data range cover the format? A driver may still refuse it. */
export function rangesCover(ranges: readonly DataRangeModel[], format: AudioFormat): boolean {
  return waveRanges(ranges).some(
    (range) =>
      range.encoding === format.encoding &&
      format.channels <= range.maximumChannels &&
      format.containerBits >= range.minimumBits &&
      format.containerBits <= range.maximumBits &&
      format.sampleRate >= range.minimumRate &&
      format.sampleRate <= range.maximumRate,
  );
}

/** Formats that the ranges cover, from what loses least of `wanted` to what loses most; `wanted` itself first if covered. */
export function formatCandidates(ranges: readonly DataRangeModel[], wanted: AudioFormat): AudioFormat[] {
  const candidates: AudioFormat[] = [];
  const add = (format: AudioFormat) => {
    if (!candidates.some((known) => sameFormat(known, format))) candidates.push(format);
  };
  if (rangesCover(ranges, wanted)) add(wanted);
  const found: AudioFormat[] = [];
  for (const range of waveRanges(ranges)) {
    const bits = range.encoding === 'float' ? [32, 64] : CONTAINER_BITS;
    for (const containerBits of bits.filter(
      (size) => size >= range.minimumBits && size <= range.maximumBits,
    )) {
      for (const channels of channelChoices(range.maximumChannels, wanted.channels)) {
        for (const sampleRate of rateChoices(range, wanted.sampleRate)) {
          const layout = channels === wanted.channels ? { channelMask: wanted.channelMask } : {};
          for (const validBits of validBitsChoices(range.encoding, containerBits)) {
            found.push(
              audioFormat({
                encoding: range.encoding,
                sampleRate,
                channels,
                containerBits,
                validBits,
                ...layout,
              }),
            );
          }
        }
      }
    }
  }
  for (const format of found.sort((a, b) => loss(a, wanted) - loss(b, wanted))) add(format);
  return candidates.slice(0, MAXIMUM_CANDIDATES);
}

/** Converters of 20 and 24 bits take their samples in 32 (audio docs, "Extensible Wave-Format Descriptors"). */
function validBitsChoices(encoding: AudioFormat['encoding'], containerBits: number): number[] {
  return encoding === 'integer' && containerBits === 32 ? [32, 24, 20] : [containerBits];
}

function channelChoices(maximum: number, wanted: number): number[] {
  const most = Math.min(maximum, 8);
  return [...new Set([wanted, 2, 1, most])].filter((channels) => channels >= 1 && channels <= most);
}

function rateChoices({ minimumRate, maximumRate }: WaveRange, wanted: number): number[] {
  const rates = [wanted, wanted * 2, ...USUAL_RATES, minimumRate, maximumRate];
  return [...new Set(rates)].filter(
    (rate) => rate >= Math.max(1, minimumRate) && rate <= Math.min(maximumRate, 768_000),
  );
}

/** How much a stream in `format` loses of `wanted`, and then how much it costs. Only the order matters. */
function loss(format: AudioFormat, wanted: AudioFormat): number {
  const lower = (have: number, want: number) => Math.max(0, 1 - have / want);
  const finest = (one: AudioFormat) => (one.encoding === 'float' ? 24 : one.validBits);
  const lost =
    lower(format.channels, wanted.channels) * 1000 +
    lower(format.sampleRate, wanted.sampleRate) * 1000 +
    lower(finest(format), finest(wanted)) * 400;
  const resampled =
    format.sampleRate === wanted.sampleRate ? 0 : format.sampleRate % wanted.sampleRate === 0 ? 2 : 3;
  const mixed = format.channels === wanted.channels ? 0 : 2;
  const requantised =
    format.encoding === wanted.encoding && format.containerBits === wanted.containerBits ? 0 : 1;
  // Among equals the smaller stream.
  const size = (frameBytes(format) * format.sampleRate) / 1e9;
  return lost + resampled + mixed + requantised + size;
}
