import { driverSuite } from './support/driver-suite.ts';
import { AC97 } from './support/driver-suite-cards.ts';

driverSuite('sim', AC97);
