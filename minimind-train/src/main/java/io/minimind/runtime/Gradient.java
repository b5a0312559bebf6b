package io.minimind.runtime;

import java.nio.FloatBuffer;

/**
 * The gradient of one parameter.
 *
 * @param shape that of the parameter
 * @param values from position 0 to the limit, in native memory
 */
record Gradient(long[] shape, FloatBuffer values) {}
