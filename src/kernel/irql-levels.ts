/** An interrupt request level, 0…15 as on x64. Code at one level is interrupted by what happens at a higher one only. */
export type KIRQL = number;

export const PASSIVE_LEVEL = 0;
export const LOW_LEVEL = 0;
export const APC_LEVEL = 1;
export const DISPATCH_LEVEL = 2;
/** Lowest and highest level of a device's interrupt. */
export const DEVICE_LEVEL_MIN = 3;
export const DEVICE_LEVEL_MAX = 12;
export const CLOCK_LEVEL = 13;
export const POWER_LEVEL = 14;
export const HIGH_LEVEL = 15;

/** 'DISPATCH_LEVEL (2)', 'DIRQL 5' …: a level as reports show it. */
export function irqlName(irql: KIRQL): string {
  switch (irql) {
    case PASSIVE_LEVEL:
      return 'PASSIVE_LEVEL (0)';
    case APC_LEVEL:
      return 'APC_LEVEL (1)';
    case DISPATCH_LEVEL:
      return 'DISPATCH_LEVEL (2)';
    case CLOCK_LEVEL:
      return 'CLOCK_LEVEL (13)';
    case POWER_LEVEL:
      return 'POWER_LEVEL (14)';
    case HIGH_LEVEL:
      return 'HIGH_LEVEL (15)';
    default:
      return `DIRQL ${irql}`;
  }
}
