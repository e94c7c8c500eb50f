// The README's program. Arguments: a folder of faces, a folder for the run, two photographs.
import FaceRecognition

let (faces, output) = (CommandLine.arguments[1], CommandLine.arguments[2])
var run = TrainingRun(data: faces, output: output)
run.options.network = .mobilefacenet
(run.options.embedding, run.options.inputSize, run.options.batchSize) = (128, 64, 16)
(run.options.length, run.options.augment) = (.epochs(5), .standard)
try run.start { step in print("step \(step.number)  loss \(step.loss)") }

let model = try FaceModel(path: output)
let photographs = try model.embed(files: Array(CommandLine.arguments[3...]))
print("cosine \(photographs[0].cosine(with: photographs[1]))")
