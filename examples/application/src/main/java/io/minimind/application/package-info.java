/** The smallest application of the SDK, on its one dependency. */
package io.minimind.application;
