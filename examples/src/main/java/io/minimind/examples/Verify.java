package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.runtime.Device;
import io.minimind.verify.Case;
import io.minimind.verify.Verification;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Recomputes the numbers of the original MiniMind and says how far off they are. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Recomputes reference numbers of the original MiniMind: logits, gradients, loss curves,"
          + " generated tokens, token ids, chat templates, a trained vocabulary.",
      "",
      "Prints a line for each case: its name, the worst difference, the largest allowed one, and ok"
          + " or FAILED. Cases that are not implemented here are named and skipped.",
      ""
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:every difference is within its limit",
      "1:a case failed",
      "2:an option is wrong, or a file is missing or damaged"
    })
public final class Verify implements Callable<Integer> {

  @Option(
      names = "--golden",
      required = true,
      paramLabel = "DIR",
      description = {
        "Folder of the reference numbers: of the first MiniMind (dense.json, generate.json and so"
            + " on) or of its third version (head_dense.json and so on)."
      })
  private Path golden;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description =
          "Folder of the texts the references were computed from (pretrain_data.csv,"
              + " tokenizer_train.jsonl, sft_data_single.csv and so on).")
  private Path data;

  @Option(
      names = "--tokenizer",
      required = true,
      paramLabel = "DIR",
      description = "Folder of the tokenizer the references were computed with (tokenizer.json).")
  private Path tokenizer;

  @Option(
      names = "--devices",
      paramLabel = "DEVICE",
      converter = Devices.Converter.class,
      description = {
        "The device that trains, where a case trains: cpu, or a GPU such as cuda:0, for which"
            + " limits"
            + " are ten times as large, since it adds up in other orders."
      })
  private Devices devices = Devices.CPU;

  @Spec private CommandSpec spec;

  private int compared;
  private int failed;

  public static void main(String[] args) {
    MiniMind.run(new Verify(), args);
  }

  @Override
  public Integer call() {
    try {
      Device device = device();
      new Verification(golden, data, tokenizer, device).run(this::report);
    } catch (IOException | IllegalArgumentException e) {
      spec.commandLine().getErr().println(e.getMessage());
      return 2;
    }
    out()
        .printf(
            failed == 0 ? "All %2$d cases are ok.%n" : "%d of %d cases FAILED.%n",
            failed,
            compared);
    return failed == 0 ? 0 : 1;
  }

  private Device device() {
    if (devices.list().size() != 1) {
      throw new ArgumentException("--devices must be one device here, but is " + devices + ".");
    }
    Device.require(devices.list());
    return devices.list().get(0);
  }

  private void report(Case one) {
    out().println(one);
    out().flush();
    if (one instanceof Case.Compared comparison) {
      compared++;
      failed += comparison.ok() ? 0 : 1;
    }
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
