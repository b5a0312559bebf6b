package io.minimind.examples;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(name = "train")
public final class BenchmarkTraining implements Callable<Integer> {
  @Override
  public Integer call() {
    return 0;
  }
}
