package io.minimind.examples;

import io.minimind.files.InputException;
import io.minimind.files.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The folder with what a course learns from and is tested with. */
record CourseData(Path folder) {

  private static final List<String> LEARNT =
      List.of(
          "pretrain.csv",
          "pretrain_valid.csv",
          "sft_single.csv",
          "sft_multi.csv",
          "sft_valid.csv",
          "dpo.jsonl");

  /**
   * @throws IOException if the folder or one of its files is missing
   */
  static CourseData open(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new InputException(
          "There is no folder %s: --data names the folder with pretrain.csv and the other files of the course."
              .formatted(folder));
    }
    CourseData data = new CourseData(folder);
    List<Path> files = new ArrayList<>(List.of(data.heldOut(), data.promptFile()));
    LEARNT.stream().map(folder::resolve).forEach(files::add);
    for (Path file : files) {
      if (!Files.isRegularFile(file)) {
        throw new InputException(
            "The folder %s lacks %s, which the course needs: restore it, or name another folder with --data."
                .formatted(folder, file.getFileName()));
      }
    }
    return data;
  }

  Path pretraining() {
    return folder.resolve("pretrain.csv");
  }

  Path pretrainingValidation() {
    return folder.resolve("pretrain_valid.csv");
  }

  Path singleTurn() {
    return folder.resolve("sft_single.csv");
  }

  Path severalTurns() {
    return folder.resolve("sft_multi.csv");
  }

  Path chatValidation() {
    return folder.resolve("sft_valid.csv");
  }

  Path preferences() {
    return folder.resolve("dpo.jsonl");
  }

  /** Questions that occur in none of the other files. */
  Path heldOut() {
    return folder.resolve("heldout.csv");
  }

  private Path promptFile() {
    return folder.resolve("quickstart_prompts.txt");
  }

  /** What is put to the model after every stage: questions, or several with | between them. */
  List<String> prompts() throws IOException {
    return Prompts.read(promptFile());
  }

  /** SHA-256 of each file that is learnt from, by its name. */
  Map<String, String> digests() throws IOException {
    Map<String, String> digests = new TreeMap<>();
    for (String name : LEARNT) {
      digests.put(name, Sha256.of(folder.resolve(name)));
    }
    return digests;
  }
}
