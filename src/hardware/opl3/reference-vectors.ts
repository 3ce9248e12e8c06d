/**
 * What the reference implementation Nuked OPL3 1.8 (github.com/nukeykt/Nuked-OPL3, commit cfedb09efc03, LGPL 2.1)
 * made of the scripts in `reference-scripts.ts`: numbers only, obtained by running it outside this project. Registers were written with
 * OPL3_WriteReg and samples taken with OPL3_Generate, from OPL3_Reset on.
 */
import type { ReferenceVector } from './reference-scripts.ts';

export const REFERENCE_VECTORS: readonly ReferenceVector[] = [
  {
    name: 'all waveforms, three feedbacks',
    frames: 20400,
    hash: 0x1d95_1299,
    excerpt: [0, 0, 0, 433, 1550, 0, 0, 3074, -3900, -1145, 1869, 1914, 1162, 1559, -58, -244],
  },
  {
    name: 'envelope rates',
    frames: 35610,
    hash: 0x5b4d_1e94,
    excerpt: [0, 0, 0, 0, 1, 1, 168, 176, -1411, -1452, -746, -280, -2986, -3505, 4278, 4950],
  },
  {
    name: 'envelope rates, compatible mode',
    frames: 35610,
    hash: 0x5b4d_1e94,
    excerpt: [0, 0, 0, 0, 1, 1, 168, 176, -1411, -1452, -746, -280, -2986, -3505, 4278, 4950],
  },
  {
    name: 'four operators, all algorithms and pairs',
    frames: 17400,
    hash: 0x713e_cfdd,
    excerpt: [0, 0, 4932, 4051, -3232, -2375, 4433, 5070, -3066, -407, 123, 1880, 528, -550, -717, 1099],
  },
  {
    name: 'percussion',
    frames: 9450,
    hash: 0x1682_7afc,
    excerpt: [0, 0, -24, -24, 6702, 6418, 4062, 4596, 3002, -606, 8718, 9398, 5130, 5174, 11040, 6042],
  },
  {
    name: 'percussion, compatible mode',
    frames: 9450,
    hash: 0x1682_7afc,
    excerpt: [0, 0, -24, -24, 6702, 6418, 4062, 4596, 3002, -606, 8718, 9398, 5130, 5174, 11040, 6042],
  },
  {
    name: 'tremolo and vibrato, all depths',
    frames: 36503,
    hash: 0x7c93_f460,
    excerpt: [0, 0, -1519, -1549, -670, -543, -3860, -3726, 586, 407, -972, -1054, -1036, -1033, 1007, 1162],
  },
  {
    name: 'levels, key scaling, multiples, keyboard split, sides',
    frames: 8400,
    hash: 0x6301_8c88,
    excerpt: [0, 0, 2080, 3532, 2661, 1726, 625, -2462, 288, -3914, 1707, 2509, 2560, 1844, 682, -2313],
  },
  {
    name: 'clipping',
    frames: 600,
    hash: 0x4bf8_6b0e,
    excerpt: [
      0, 0, -32768, -32768, 32767, 32767, -32768, -32768, -32768, -32768, 32767, 32767, -32768, -32768,
      -32768, -32768,
    ],
  },
  {
    name: 'anything, seed 1',
    frames: 32467,
    hash: 0xd942_702d,
    excerpt: [0, 0, -3, -3, -1, -1, -1, -2, 5788, 5788, -3, -4, -3, -114, 2269, -1],
  },
  {
    name: 'anything, seed 2',
    frames: 29877,
    hash: 0x1c79_88cf,
    excerpt: [0, 0, -6, -5, -102, -8, 5, 6, -18, -18, 1075, 1024, -1753, -4754, -4, 12],
  },
  {
    name: 'anything, seed 3',
    frames: 38017,
    hash: 0xc27f_aba6,
    excerpt: [0, 0, -6, -6, 3757, 3760, 1769, 2053, -1976, -5812, -1677, 708, -2810, 1049, 5858, 5776],
  },
  {
    name: 'anything, seed 4',
    frames: 24694,
    hash: 0x025e_9e1e,
    excerpt: [0, 0, 2412, 2412, -2353, -2955, -9758, -9809, -7073, -5801, -3246, -5800, 1835, 3752, 664, 686],
  },
  {
    name: 'anything, seed 5',
    frames: 23169,
    hash: 0xf48e_5ac3,
    excerpt: [
      0, 0, -4293, -1495, -1859, -5464, -4068, 697, -1051, -1372, 4433, -3102, 6882, 2009, 1880, -3597,
    ],
  },
  {
    name: 'anything, seed 6',
    frames: 23922,
    hash: 0x5e3a_21e5,
    excerpt: [0, 0, -1, -1, -4, -4, -900, -8, -1731, 2670, -7, 59, 1883, 1883, -157, 1876],
  },
  {
    name: 'anything, seed 7',
    frames: 44342,
    hash: 0xdef6_de42,
    excerpt: [0, 0, -2, 610, -13, -1780, 2379, 977, -4432, -1647, -214, 2230, 2257, 662, -7327, -2280],
  },
  {
    name: 'anything, seed 8',
    frames: 29114,
    hash: 0x4e8d_b43a,
    excerpt: [0, 0, -3, -3, -11, -11, -346, -373, -120, -120, 96, 96, 1343, 1345, 720, 726],
  },
  {
    name: 'anything, seed 9',
    frames: 35057,
    hash: 0x8234_1082,
    excerpt: [0, 0, -5, -7, 4070, 4070, -4, 3380, -5, 2428, 3886, 7471, 6534, 2872, 9071, 11096],
  },
  {
    name: 'anything, seed 10',
    frames: 34048,
    hash: 0x6ebd_e4b4,
    excerpt: [0, 0, -3, -3, -6, -6, 2163, 2164, 1558, 1558, 4647, 4638, 5904, 5893, 4486, 4489],
  },
  {
    name: 'anything, seed 11',
    frames: 35749,
    hash: 0xb6c2_f070,
    excerpt: [0, 0, -3, -3, -3, -3, -1513, -1504, 341, -127, -2000, -1661, 6027, 6849, 4569, 4628],
  },
  {
    name: 'anything, seed 12',
    frames: 28652,
    hash: 0x5556_84f7,
    excerpt: [0, 0, -7, -10, -4, -4, -3, -2, -2, -2, -1795, -5, -1647, -7, -3, -2],
  },
  {
    name: 'anything, seed 13',
    frames: 30004,
    hash: 0x2dcd_10d8,
    excerpt: [0, 0, -2, -3884, -1317, 1735, -14, -4022, 3737, 7864, 1401, 1469, -1154, -1144, -4, -101],
  },
  {
    name: 'anything, seed 14',
    frames: 34393,
    hash: 0x14be_37ea,
    excerpt: [0, 0, -2, -2, -5, -5, -3953, -3953, -4, -4, 25, 25, 1887, -941, -4233, -5067],
  },
  {
    name: 'anything, seed 15',
    frames: 22807,
    hash: 0x6ce0_e67f,
    excerpt: [0, 0, -6, -6, 2213, 2087, -670, -326, 1935, 2424, 2656, -1430, 174, 740, 3293, 3628],
  },
  {
    name: 'anything, seed 16',
    frames: 32177,
    hash: 0xa926_018e,
    excerpt: [0, 0, 16, 16, 8159, 8160, 20, 20, 111, 147, -2004, -2003, -4479, -4716, 13229, 13422],
  },
  {
    name: 'anything, seed 17',
    frames: 24556,
    hash: 0xa3fb_9838,
    excerpt: [0, 0, -1, -2, 8167, 8167, 20, 38, 244, 228, -5, -3, -5, -4, -2244, -2193],
  },
  {
    name: 'anything, seed 18',
    frames: 21642,
    hash: 0x37b4_2009,
    excerpt: [0, 0, -5, -5, 2320, 2320, -2192, -2192, -424, -425, 782, 783, 545, -1171, 9407, 8493],
  },
  {
    name: 'anything, seed 19',
    frames: 25110,
    hash: 0x86d6_9adb,
    excerpt: [0, 0, 0, 0, 4086, 4008, -2853, -2577, 1862, -571, 3602, 3737, -2631, 1515, 4691, 4923],
  },
  {
    name: 'anything, seed 20',
    frames: 27134,
    hash: 0xc227_5066,
    excerpt: [0, 0, 1523, 1523, 5788, 6529, -4905, -7699, 7409, 3844, 6501, 3387, 4210, 4462, 6005, 2215],
  },
  {
    name: 'anything, seed 21',
    frames: 33481,
    hash: 0x5dc2_ec19,
    excerpt: [0, 0, -3083, 0, -4056, -2, -2295, 26, 1816, -32, 2920, -112, 3796, 694, 2791, -43],
  },
  {
    name: 'anything, seed 22',
    frames: 31077,
    hash: 0x40bb_ccbc,
    excerpt: [0, 0, -4, -4, -492, 1433, 485, 666, 3668, -1167, -145, -2958, -484, 130, -849, -1023],
  },
  {
    name: 'anything, seed 23',
    frames: 45528,
    hash: 0xec1f_5593,
    excerpt: [0, 0, 8163, 8163, 241, 545, 1217, 4930, 1009, 4781, -3954, -1364, 5221, 2882, -3725, -2835],
  },
  {
    name: 'anything, seed 24',
    frames: 26774,
    hash: 0x9bbe_0b8f,
    excerpt: [0, 0, -3, 1049, -4055, -2, -69, 186, -1189, -1020, 641, 648, 8840, 8053, 2701, 909],
  },
  {
    name: 'anything in compatible mode, seed 25',
    frames: 35548,
    hash: 0xa5b8_d502,
    excerpt: [0, 0, -2, -2, -3, -3, -3073, 688, -245, 201, 2771, 2792, 28, 28, 1449, 1367],
  },
  {
    name: 'anything in compatible mode, seed 26',
    frames: 23492,
    hash: 0x5776_5975,
    excerpt: [0, 0, 0, 0, -3, -3, -5, -6, 275, 276, 4584, 4030, -3300, -777, 539, 3452],
  },
  {
    name: 'anything in compatible mode, seed 27',
    frames: 32700,
    hash: 0x971c_3767,
    excerpt: [0, 0, -2, -1, 5790, 5788, 5789, 5789, 4028, 4028, -4180, -4390, 222, 49, -1, -12],
  },
  {
    name: 'anything in compatible mode, seed 28',
    frames: 37411,
    hash: 0x4434_b40f,
    excerpt: [0, 0, -4, -4, -7634, -7572, -2353, -2351, 5000, 4005, 3777, 3507, 87, 6520, 2336, 3498],
  },
  {
    name: 'anything in compatible mode, seed 29',
    frames: 24686,
    hash: 0xde94_9334,
    excerpt: [0, 0, -3946, -3946, 3953, 3929, 6264, 6273, -251, -335, 559, 521, -634, -639, 1193, 1192],
  },
  {
    name: 'anything in compatible mode, seed 30',
    frames: 43291,
    hash: 0xc18e_e8d0,
    excerpt: [0, 0, -2, -2, -4, -3, -3507, -3373, 3629, -149, 1773, 2262, -59, 279, 1481, 2299],
  },
  {
    name: 'anything in compatible mode, seed 31',
    frames: 33589,
    hash: 0xd679_99ae,
    excerpt: [0, 0, 3, 2, 540, 542, 9936, 16181, 11190, 702, -1127, 1977, 553, -1312, 528, -2885],
  },
  {
    name: 'anything in compatible mode, seed 32',
    frames: 36901,
    hash: 0xc180_06df,
    excerpt: [0, 0, 9, 9, 281, 1095, 6283, 2193, 4088, 3134, 2817, -6225, 16772, -6300, -4297, -719],
  },
  {
    name: 'anything in compatible mode, seed 33',
    frames: 23365,
    hash: 0x8246_01b2,
    excerpt: [0, 0, 210, 210, 1782, 1707, 339, 213, 193, 321, -245, -239, 6293, 6186, 4124, 4435],
  },
  {
    name: 'anything in compatible mode, seed 34',
    frames: 22994,
    hash: 0xe3d8_6155,
    excerpt: [0, 0, -131, -127, 197, 197, -255, -255, 2374, 2592, -742, -743, -1950, -1949, 2819, 2399],
  },
  {
    name: 'anything in compatible mode, seed 35',
    frames: 25300,
    hash: 0xc9f9_3191,
    excerpt: [0, 0, -1, -1, 1936, 3623, -3457, -3457, 0, 2677, -1040, -1269, -1347, -932, -8, 2],
  },
  {
    name: 'anything in compatible mode, seed 36',
    frames: 39394,
    hash: 0x06f4_0d79,
    excerpt: [0, 0, 2609, 2645, 2798, 2839, 4204, 4705, 3336, 3130, 5019, -1611, 10875, -4358, 11267, -6067],
  },
];
