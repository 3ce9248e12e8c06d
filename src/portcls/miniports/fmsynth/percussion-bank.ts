import { drum, type FmDrum, fm } from './patch.ts';

/** Hi-hats end each other, and so do the muted and the open triangle, and the short and the long whistle and guiro. */
const HI_HAT = 1;
const WHISTLE = 2;
const GUIRO = 3;
const CUICA = 4;
const TRIANGLE = 5;

/** A membrane: a low note whose modulator gives the stroke. */
const skin = (name: string, decay: number, brightness = 16) =>
  fm(name, 4, `1:${brightness} 15-10-14-9`, `1:0 15-${decay}-14-${decay}`);
/** Metal: feedback at full makes noise of the modulator, which spreads over the carrier's high multiple. */
const metal = (name: string, decay: number, level = 6) =>
  fm(name, 7, `11:4 15-${Math.max(1, decay - 1)}-12-${decay} w2`, `14:${level} 15-${decay}-14-${decay} w2`);
/** Wood: short and hollow. */
const wood = (name: string, decay = 9) => fm(name, 3, '3:20 15-12-15-12', `1:3 15-${decay}-15-${decay}`);
/** Two ratios that do not fit. */
const bell = (name: string, decay: number) =>
  fm(name, 3, `7:18 15-${decay}-13-${decay}`, `3:6 15-${decay}-13-${decay}`);

/** The percussion map of General MIDI 1, keys 35 to 81, for this driver. */
export const PERCUSSION_BANK: ReadonlyMap<number, FmDrum> = new Map<number, FmDrum>([
  [35, drum(24, skin('Acoustic Bass Drum', 7, 12))],
  [36, drum(27, skin('Bass Drum 1', 8, 10))],
  [37, drum(66, wood('Side Stick', 9))],
  [38, drum(48, fm('Acoustic Snare', 7, '3:2 15-7-11-8', '1:0 15-6-12-7 w1'))],
  [39, drum(60, fm('Hand Clap', 7, '6:2 14-8-10-8', '3:6 14-9-13-8'))],
  [40, drum(52, fm('Electric Snare', 7, '4:0 15-7-11-8', '1:0 15-6-12-7 w2'))],
  [41, drum(36, skin('Low Floor Tom', 7))],
  [42, drum(72, metal('Closed Hi Hat', 9), HI_HAT)],
  [43, drum(39, skin('High Floor Tom', 7))],
  [44, drum(72, metal('Pedal Hi-Hat', 9, 9), HI_HAT)],
  [45, drum(42, skin('Low Tom', 7))],
  [46, drum(72, metal('Open Hi-Hat', 6), HI_HAT)],
  [47, drum(45, skin('Low-Mid Tom', 7))],
  [48, drum(48, skin('Hi Mid Tom', 8))],
  [49, drum(64, metal('Crash Cymbal 1', 4, 8))],
  [50, drum(51, skin('High Tom', 8))],
  [51, drum(70, metal('Ride Cymbal 1', 5, 14))],
  [52, drum(60, metal('Chinese Cymbal', 4, 9))],
  [53, drum(74, bell('Ride Bell', 5))],
  [54, drum(76, metal('Tambourine', 7, 9))],
  [55, drum(68, metal('Splash Cymbal', 6, 9))],
  [56, drum(62, bell('Cowbell', 8))],
  [57, drum(62, metal('Crash Cymbal 2', 4, 8))],
  [58, drum(45, fm('Vibraslap', 7, '9:6 14-6-10-6 t', '5:10 14-6-12-6 t'))],
  [59, drum(68, metal('Ride Cymbal 2', 5, 14))],
  [60, drum(63, skin('Hi Bongo', 9, 20))],
  [61, drum(57, skin('Low Bongo', 9, 20))],
  [62, drum(58, skin('Mute Hi Conga', 9, 18))],
  [63, drum(57, skin('Open Hi Conga', 8, 20))],
  [64, drum(50, skin('Low Conga', 8, 20))],
  [65, drum(60, skin('High Timbale', 8, 12))],
  [66, drum(53, skin('Low Timbale', 8, 12))],
  [67, drum(74, bell('High Agogo', 8))],
  [68, drum(67, bell('Low Agogo', 8))],
  [69, drum(84, metal('Cabasa', 8, 10))],
  [70, drum(88, metal('Maracas', 9, 10))],
  [71, drum(95, fm('Short Whistle', 1, '1:40 11-0-0-11 sv', '1:10 11-0-0-11 sv'), WHISTLE)],
  [72, drum(93, fm('Long Whistle', 1, '1:40 11-0-0-9 sv', '1:10 11-2-2-9 sv'), WHISTLE)],
  [73, drum(76, metal('Short Guiro', 9, 14), GUIRO)],
  [74, drum(74, metal('Long Guiro', 6, 14), GUIRO)],
  [75, drum(79, wood('Claves', 8))],
  [76, drum(76, wood('Hi Wood Block', 9))],
  [77, drum(69, wood('Low Wood Block', 9))],
  [78, drum(64, fm('Mute Cuica', 5, '1:18 12-8-12-10', '1:6 12-9-14-10'), CUICA)],
  [79, drum(57, fm('Open Cuica', 5, '1:18 11-6-10-8', '1:6 11-7-13-8'), CUICA)],
  [80, drum(98, bell('Mute Triangle', 8), TRIANGLE)],
  [81, drum(98, bell('Open Triangle', 5), TRIANGLE)],
]);

export const FIRST_DRUM_KEY = 35;
export const LAST_DRUM_KEY = 81;
