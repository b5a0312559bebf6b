package io.minimind.examples;

import java.io.IOException;

/** A command that several processes carry out together. */
interface Launchable {

  /**
   * Finds what is wrong with its options, as far as that can be known before anything is begun, so
   * that not each process has to say it.
   *
   * @throws IOException if a file cannot be used
   * @throws IllegalArgumentException if an option cannot be what it is
   */
  void check() throws IOException;
}
